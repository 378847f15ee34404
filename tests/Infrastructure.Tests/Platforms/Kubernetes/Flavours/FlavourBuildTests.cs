using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Flavours;

public sealed class FlavourBuildTests
{
    private static readonly JsonSerializerOptions ForPeople = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Names => [.. AllFlavours.List.Select(flavour => flavour.Name)];

    /// <summary>The documents in Samples/Built are what people read: a change of one is a change of what runs on their clusters.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Build_PlainProfile_IsTheDocumentInTheSamples(string name)
    {
        var built = AllFlavours.Named(name).Build(Given.Spec(Given.Profile(name))).ToJsonString(ForPeople) + "\n";

        var path = Path.Combine(Sample.Folder, "Built", name + ".json");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, built);
            Assert.Fail($"{path} was missing and is written now: read it before it is committed.");
        }

        Assert.Equal(File.ReadAllText(path), built);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_ThenParse_KnowsItsSession(string name)
    {
        var spec = Given.Spec(Given.Awkward(name));
        var view = AllFlavours.Named(name).Parse(Created(AllFlavours.Named(name).Build(spec)));

        Assert.Equal(
            (spec.Key, spec.SessionId, spec.Instance, spec.Team, spec.Environment, spec.User, "default", ApplicationPhase.Pending, false, 15002),
            (view.Key, view.SessionId, view.Instance, view.Team, view.Environment, view.User, view.Profile, view.Phase, view.IsAttachable, view.ConfiguredPort));
        Assert.Equal(64, view.RequestHash!.Length);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_SameRequest_SameHash_AnotherRequest_AnotherHash(string name)
    {
        var spec = Given.Spec(Given.Profile(name));

        Assert.Equal(Hash(name, spec), Hash(name, spec));
        Assert.NotEqual(Hash(name, spec), Hash(name, spec with { Profile = Given.Profile(name, options => options.DriverMemory = "5g") }));
        Assert.NotEqual(Hash(name, spec), Hash(name, spec with { SessionId = Guid.NewGuid() }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_Plugins_AreMergedAndNotRepeated(string name)
    {
        var plugins = Settings(name, Given.Awkward(name))["spark.plugins"]!.ToString();

        // A program of one's own has the server as a plugin; Spark's own server is none.
        var expected = name == "spark-connect"
            ? "org.example.Plugin,org.apache.spark.deploy.DriverTimeoutPlugin"
            : "org.example.Plugin,org.apache.spark.deploy.DriverTimeoutPlugin,org.apache.spark.sql.connect.SparkConnectPlugin";
        Assert.Equal(expected, plugins);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_Spark35_HasNoDriverTimeout(string name)
    {
        var settings = Settings(name, Given.Profile(name, options => options.SparkVersion = "3.5.1"));

        Assert.False(settings.ContainsKey("spark.driver.timeout"));
        Assert.DoesNotContain("DriverTimeoutPlugin", settings.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("245min", Settings(name, Given.Profile(name))["spark.driver.timeout"]!.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_NoToken_NamesNoSecret(string name)
    {
        var spec = Given.Spec(Given.Profile(name));

        Assert.Contains("SPARK_CONNECT_AUTHENTICATE_TOKEN", AllFlavours.Named(name).Build(spec).ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("SPARK_CONNECT_AUTHENTICATE_TOKEN", AllFlavours.Named(name).Build(spec with { TokenSecret = null }).ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_Twice_LeavesTheProfileAsItIs(string name)
    {
        var profile = Given.Awkward(name);
        var before = profile.DriverTemplate.ToJsonString();

        AllFlavours.Named(name).Build(Given.Spec(profile));

        Assert.Equal(before, profile.DriverTemplate.ToJsonString());
    }

    [Theory]
    [InlineData("4g", "", "4505Mi")]
    [InlineData("1g", "", "1408Mi")]
    [InlineData("1500m", "512m", "2012Mi")]
    [InlineData("1t", "1g", "1049600Mi")]
    public void Build_SparkConnect_AsksForMemoryWithItsOverhead(string memory, string overhead, string total)
    {
        var profile = Given.Profile("spark-connect", options => (options.DriverMemory, options.DriverMemoryOverhead) = (memory, overhead));

        var container = new SparkConnectFlavour().Build(Given.Spec(profile))["spec"]!["server"]!["template"]!["spec"]!["containers"]![0]!;

        Assert.Equal((total, total), (container["resources"]!["requests"]!["memory"]!.ToString(), container["resources"]!["limits"]!["memory"]!.ToString()));
    }

    [Fact]
    public void Build_LongUser_IsCut()
    {
        var document = new SparkApplicationFlavour().Build(Given.Spec(Given.Profile("spark-application")) with { User = new string('u', 10_000) });

        Assert.Equal(256, document["metadata"]!["annotations"]!["spark-gateway/user"]!.ToString().Length);
    }

    private static JsonObject Settings(string name, Infrastructure.Platforms.Kubernetes.Profiles.Profile profile) =>
        AllFlavours.Named(name).Build(Given.Spec(profile))["spec"]!["sparkConf"]!.AsObject();

    private static string Hash(string name, ApplicationSpec spec) =>
        AllFlavours.Named(name).Build(spec)["metadata"]!["annotations"]!["spark-gateway/request-hash"]!.ToString();

    private static KubeObject Created(JsonObject built)
    {
        built["metadata"]!["uid"] = "uid";
        return Sample.Object(JsonDocument.Parse(built.ToJsonString()).RootElement);
    }
}
