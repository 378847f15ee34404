using System.Text.Json.Nodes;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>What a program printed, and how it ended.</summary>
internal sealed record Run(int ExitCode, string Output)
{
    public string Good()
    {
        Assert.True(ExitCode == 0, $"Exit code {ExitCode}:\n{Output}");
        return Output;
    }
}

/// <summary>The chart of this repository, under the real helm.</summary>
internal static class Chart
{
    public const string Namespace = "gateways";
    public const string Release = "demo";

    /// <summary>Of the objects of a release that is called demo.</summary>
    public const string FullName = "demo-spark-gateway";

    public static readonly string Folder = Path.Combine(Sources.Root, "deploy", "helm", "spark-gateway");

    /// <summary>Sets of values that together show every object of the chart, by the names of their files.</summary>
    public static readonly TheoryData<string> ValueSets = ["embedded", "postgresql", "everything", "cluster"];

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static readonly string Home = Directory.CreateTempSubdirectory("spark-gateway-helm-").FullName;

    static Chart() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Home, recursive: true);

    /// <summary>Arguments that give a set of values, and more of them as KEY=VALUE.</summary>
    public static IEnumerable<string> Values(string set, params IEnumerable<string> more) =>
    [
        .. set switch
        {
            "" => [],
            "embedded" => ["-f", Path.Combine(Folder, "values-embedded.yaml"), "--set", "sessions.namespaces={sjns-data-staging}"],
            _ => (IEnumerable<string>)["-f", Path.Combine(Folder, "ci", $"{set}-values.yaml")],
        },
        .. more.SelectMany(value => new[] { "--set", value }),
    ];

    public static async Task<Run> HelmAsync(params IEnumerable<string> arguments)
    {
        await using var helm = OwnedProcess.Start(
            "helm", Fixtures.Helm, arguments, [("HELM_CACHE_HOME", Home), ("HELM_CONFIG_HOME", Home), ("HELM_DATA_HOME", Home), ("KUBECONFIG", null)]);
        var exit = await helm.ExitAsync(Limit);
        return new Run(exit, helm.Output);
    }

    public static Task<Run> TemplateAsync(string set, params IEnumerable<string> more) =>
        HelmAsync(["template", Release, Folder, "--namespace", Namespace, .. Values(set, more)]);

    public static async Task<Manifests> RenderAsync(string set, params IEnumerable<string> more) => new((await TemplateAsync(set, more)).Good());
}

/// <summary>The objects that a chart renders.</summary>
internal sealed class Manifests
{
    private readonly IReadOnlyList<JsonObject> objects;
    private readonly string fullName;

    public Manifests(string yaml, string fullName = Chart.FullName)
    {
        this.fullName = fullName;
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        objects = [.. stream.Documents.Select(document => ToJson(document.RootNode)).OfType<JsonObject>()];
        Yaml = yaml;
    }

    public string Yaml { get; }

    public IEnumerable<string> Kinds => objects.Select(item => (string)item["kind"]!).Distinct().Order();

    /// <summary>The one of that name; null: of the release's own.</summary>
    public JsonObject One(string kind, string? name = null) => Assert.Single(All(kind), item => (string?)item["metadata"]!["name"] == (name ?? fullName));

    public IEnumerable<JsonObject> All(string kind) => objects.Where(item => (string?)item["kind"] == kind);

    /// <summary>The file that the gateway reads.</summary>
    public string Config => (string)One("ConfigMap")["data"]!["gateway.yml"]!;

    public JsonObject Pod => One("Deployment")["spec"]!["template"]!.AsObject();

    public JsonObject Container(string name) => Pod["spec"]!["initContainers"]?.AsArray().Concat(Pod["spec"]!["containers"]!.AsArray()).OfType<JsonObject>().FirstOrDefault(item => (string?)item["name"] == name)
        ?? Assert.Single(Pod["spec"]!["containers"]!.AsArray().OfType<JsonObject>(), item => (string?)item["name"] == name);

    public static IReadOnlyList<string> Texts(JsonNode? list) => [.. list?.AsArray().Select(item => item!.ToString()) ?? []];

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString(), ToJson(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "null" or "~" or null } => null,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: ScalarStyle.Plain } plain when long.TryParse(plain.Value, out var whole) => whole,
        _ => ((YamlScalarNode)node).Value,
    };
}
