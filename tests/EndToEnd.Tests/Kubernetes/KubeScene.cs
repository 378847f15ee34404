using System.Text.Json;
using System.Text.Json.Nodes;
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

    /// <summary>What a restarted or remaining gateway judges by is seconds, not minutes.</summary>
    public static readonly string[] Quick =
    [
        "kubernetes.reconcile_seconds=1", "kubernetes.orphan_grace_seconds=2", "spark_connect.expiry_hold_seconds=0", "store.launch_lease_seconds=5",
        "spark_connect.expiry_interval_seconds=1", "store.heartbeat_seconds=1", "store.dead_after_seconds=3",
    ];

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
        Config = Config(image),
    };

    /// <param name="fault">What the node does to the drivers' pods.</param>
    /// <param name="kubeconfig">Another account, or another way to the API server, than the usual one.</param>
    public string Config(string image, string fault = "", string? kubeconfig = null) => $$"""
          kubernetes:
            kubeconfig: {{kubeconfig ?? Plane.GatewayKubeconfig}}
            namespaces: [{{Namespace}}]
            profiles:
              default:
                image: {{image}}
                driver_template: {{(fault.Length == 0 ? "{}" : "{metadata: {annotations: {node.test/fault: \"" + fault + "\"}}, spec: {terminationGracePeriodSeconds: 5}}")}}
                spark_version: 4.2.0

        """;

    /// <summary>A gateway that knows the cluster.</summary>
    public async Task<GatewayProcess> GatewayAsync(string image = "spark:4.2.0", params string[] settings)
    {
        var gateway = await GatewayProcess.StartAsync(Setup(image, settings));
        await SyncedAsync(gateway);
        return gateway;
    }

    /// <summary>A gateway with an account of its own, which need not have all rights.</summary>
    public Task<GatewayProcess> GatewayAsync(KubeAccount account, string image, params string[] settings) =>
        GatewayProcess.StartAsync(Setup(image, settings) with { Config = Config(image, kubeconfig: account.Kubeconfig) });

    public static Task SyncedAsync(GatewayProcess gateway) =>
        Deadlines.UntilAsync("the gateway's knowledge of the cluster", async () => (await gateway.ReadinessAsync("kubernetes")).IsReady);

    /// <summary>All objects of one kind in a namespace of sessions.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string kind, string labels = "", string space = Namespace)
    {
        var text = await Plane.KubectlAsync("", ["get", kind, "-n", space, "-o", "json", .. labels.Length > 0 ? new[] { "-l", labels } : []]);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("items").EnumerateArray()];
    }

    public Task ApplyAsync(string manifest) => Plane.KubectlAsync(manifest, "apply", "-n", Namespace, "-f", "-");

    /// <summary>Names of the live sessions that this user has opened.</summary>
    public static async Task<IReadOnlyList<string>> SessionsOfAsync(GatewayProcess gateway, string user)
    {
        using var list = JsonDocument.Parse(await gateway.SessionsAsync("list", "-o", "json", "--user", user));
        return [.. list.RootElement.EnumerateArray().Select(session => session.GetProperty("session_name").GetString()!)];
    }

    /// <summary>Of an application, its pods and its Secret: is any there?</summary>
    public async Task<bool> ExistsAsync(string name, string space = Namespace)
    {
        foreach (var kind in (string[])["sparkapplications", "pods", "secrets"])
            if ((await ListAsync(kind, space: space)).Any(item => NameOf(item).StartsWith(name, StringComparison.Ordinal))) return true;
        return false;
    }

    /// <summary>Names of the applications that this gateway made.</summary>
    public async Task<IReadOnlyList<string>> NamesOfAsync(GatewayProcess gateway)
    {
        var known = await gateway.SessionsAsync("list", "-o", "json", "--state", "all");
        return [.. (await ListAsync("sparkapplications")).Select(NameOf).Where(name => known.Contains(name, StringComparison.Ordinal))];
    }

    /// <summary>Deletes what is left of this gateway's drivers, so that they do not run beside the next test's.</summary>
    public async Task ClearAsync(GatewayProcess gateway)
    {
        var names = await NamesOfAsync(gateway);
        if (names.Count > 0) await Plane.KubectlAsync("", ["delete", "sparkapplication", "-n", Namespace, "--wait=false", .. names]);
    }

    /// <summary>A client that asks once and says so (ready), and asks once more when it may (go): "not told" with the answer, or "told" with the error.</summary>
    public static OwnedProcess StartWaiting(Marker marker, string url) => PythonClient.Start(
        $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
        """
        import os, time
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("first", spark.range(3).count())
        open(READY, "w").close()
        while not os.path.exists(GO):
            time.sleep(0.05)
        try:
            print("not told", spark.range(2).count())
        except Exception as error:
            print("told", " ".join(str(error).split()))
        """,
        url);

    /// <summary>An application to make once more, under that name: without what the API server and the operator wrote.</summary>
    public static string Again(string application, string name)
    {
        var made = JsonNode.Parse(application)!.AsObject();
        made.Remove("status");
        var metadata = made["metadata"]!.AsObject();
        foreach (var written in (string[])["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"]) metadata.Remove(written);
        metadata["name"] = name;
        return made.ToJsonString();
    }

    public static string InstanceOf(string application) => JsonNode.Parse(application)!["metadata"]!["labels"]!["spark-gateway/instance"]!.GetValue<string>();

    public static string NameOf(JsonElement item) => item.GetProperty("metadata").GetProperty("name").GetString()!;

    public ValueTask DisposeAsync() => Plane.DisposeAsync();
}
