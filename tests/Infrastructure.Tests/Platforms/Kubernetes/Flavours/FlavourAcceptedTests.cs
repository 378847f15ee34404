using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Flavours;

/// <summary>What the flavours build, put before a real API server with the schemas of all three kinds: unknown fields are refused, nothing is made.</summary>
public sealed class FlavourAcceptedTests(KubePlaneFixture planes) : IClassFixture<KubePlaneFixture>
{
    private static readonly string[] Users = ["jo@example.com", "", "true", "1e3", "Jö \"O'Hara\"\n\t\\ \u2028 😀", new('u', 5_000)];

    public static TheoryData<string> Names => [.. AllFlavours.List.Select(flavour => flavour.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Build_PlainAndAwkward_IsAcceptedByTheApiServer(string name)
    {
        var flavour = AllFlavours.Named(name);
        var longest = "s" + new string('x', flavour.MaxName - 1);
        ApplicationSpec[] specs =
        [
            Given.Spec(Given.Profile(name)),
            Given.Spec(Given.Awkward(name), longest),
            Given.Spec(Given.Profile(name)) with { TokenSecret = null, Team = "7", Environment = "true" },
            .. Users.Select(user => Given.Spec(Given.Awkward(name)) with { User = user }),
        ];

        foreach (var spec in specs) await CreateAsync(flavour.Build(spec));
    }

    /// <summary>The server looks into no template of an application: so its pod is put before it, as the operator would make it.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task Build_DriverTemplate_IsAPod(string name)
    {
        var spec = AllFlavours.Named(name).Build(Given.Spec(Given.Awkward(name)))["spec"]!;
        var template = (spec["driver"]?["template"] ?? spec["server"]?["template"] ?? spec["driverSpec"]!["podTemplateSpec"])!.DeepClone();
        foreach (var container in template["spec"]!["containers"]!.AsArray()) container!["image"] ??= "spark:1";

        await CreateAsync(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = "driver",
                ["namespace"] = "sjns-data-control",
                ["labels"] = template["metadata"]?["labels"]?.DeepClone(),
                ["annotations"] = template["metadata"]?["annotations"]?.DeepClone(),
            },
            ["spec"] = template["spec"]!.DeepClone(),
        });
    }

    [Fact]
    public async Task Create_FieldThatTheSchemaLacks_IsRefused()
    {
        var document = new SparkApplicationFlavour().Build(Given.Spec(Given.Profile("spark-application")));
        document["spec"]!["driver"]!["heap"] = "4g";

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => CreateAsync(document));

        Assert.Contains("unknown field \"spec.driver.heap\"", refused.Message, StringComparison.Ordinal);
    }

    private async Task CreateAsync(JsonObject document)
    {
        var plane = await planes.PlaneAsync();
        await plane.KubectlAsync(document.ToJsonString(), "create", "--dry-run=server", "--validate=strict", "-f", "-");
    }
}
