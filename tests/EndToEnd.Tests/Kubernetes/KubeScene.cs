using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A real API server with the real Spark operator and a node whose pods are local processes, and gateways for it.</summary>
internal sealed class KubeScene : IAsyncDisposable
{
    public const string Namespace = "sjns-data-control";

    /// <summary>What the seed's clients send: the team and the environment.</summary>
    public static readonly string[] Team = ["x-doordash-team=data", "x-doordash-environment=control"];

    /// <summary>Spark takes seconds to start, and the machine may be loaded.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private KubeScene(KubePlane plane) => Plane = plane;

    public KubePlane Plane { get; }

    public static async Task<KubeScene> StartAsync(params string[] nodeOptions)
    {
        var path = $"{Path.GetDirectoryName(SparkFixture.Python)}:{Environment.GetEnvironmentVariable("PATH")}";
        var environment = new Dictionary<string, string> { ["SPARK_HOME"] = SparkFixture.SparkHome, ["PYSPARK_PYTHON"] = SparkFixture.Python, ["PATH"] = path };
        return new KubeScene(await KubePlane.StartAsync(["--operator", "--node", .. nodeOptions], environment));
    }

    /// <summary>A gateway on platform kubernetes. <paramref name="image"/>: what the node makes of it, see its README; "spark" is a real Spark.</summary>
    public GatewaySetup Setup(string image = "spark:4.2.0", params string[] settings) => new()
    {
        StartsDrivers = true,
        Settings = ["platform=kubernetes", "kubernetes.probe_milliseconds=200", .. settings],
        Config = $$"""
              kubernetes:
                kubeconfig: {{Plane.GatewayKubeconfig}}
                namespaces: [{{Namespace}}]
                profiles:
                  default:
                    image: {{image}}
                    spark_version: 4.2.0

            """,
    };

    /// <summary>A gateway that knows the cluster.</summary>
    public async Task<GatewayProcess> GatewayAsync(string image = "spark:4.2.0", params string[] settings)
    {
        var gateway = await GatewayProcess.StartAsync(Setup(image, settings));
        await SyncedAsync(gateway);
        return gateway;
    }

    public static Task SyncedAsync(GatewayProcess gateway) =>
        Deadlines.UntilAsync("the gateway's knowledge of the cluster", async () => (await gateway.ReadinessAsync("kubernetes")).IsReady);

    /// <summary>All objects of one kind in the sessions' namespace.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string kind, string labels = "")
    {
        var text = await Plane.KubectlAsync("", ["get", kind, "-n", Namespace, "-o", "json", .. labels.Length > 0 ? new[] { "-l", labels } : []]);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("items").EnumerateArray()];
    }

    /// <summary>Names of the applications that gateways made.</summary>
    public async Task<IReadOnlyList<string>> ApplicationsAsync() => [.. (await ListAsync("sparkapplications", "app.kubernetes.io/managed-by=spark-gateway")).Select(NameOf)];

    public async Task<IReadOnlyList<string>> PodsAsync() => [.. (await ListAsync("pods", "spark-role=driver")).Select(NameOf)];

    /// <summary>Nothing of any session is left on the cluster.</summary>
    public Task EmptyAsync() => Deadlines.UntilAsync("the end of all applications and pods", async () => (await ApplicationsAsync()).Count == 0 && (await PodsAsync()).Count == 0, Limit);

    public static string NameOf(JsonElement item) => item.GetProperty("metadata").GetProperty("name").GetString()!;

    public ValueTask DisposeAsync() => Plane.DisposeAsync();
}
