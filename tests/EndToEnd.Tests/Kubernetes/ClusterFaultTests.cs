using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>The cluster goes away under a gateway with open sessions, and comes back.</summary>
[Collection(nameof(Alone))]
public sealed class ClusterFaultTests(SharedPlane shared)
{
    private const string Operator = "spark-operator";

    /// <summary>A silence is noticed, and tried to be ended, within seconds.</summary>
    private static readonly string[] Quick =
    [
        "kubernetes.ping_seconds=1", "kubernetes.ping_timeout_seconds=1", "kubernetes.backoff_milliseconds=200", "kubernetes.backoff_max_seconds=2",
        "spark_connect.on_demand.share_connection=false",
    ];

    [Theory]
    [InlineData("the API server is restarted")]
    [InlineData("its history is forgotten")]
    [InlineData("its connections fall silent")]
    [InlineData("the token is replaced")]
    [InlineData("the operator is down")]
    public async Task Fault_OldSessionsAnswer_ADriverLostMeanwhileIsTold_AndNewOnesOpen(string fault)
    {
        var scene = await shared.SceneAsync();
        await using var account = await KubeAccount.CreateAsync(scene);
        await using var gateway = await scene.GatewayAsync(account, "sail:1", Quick);
        await KubeScene.SyncedAsync(gateway);
        await using var client = PythonConsole.Start();
        Assert.Equal("rows 3\n", await client.OpenAsync("kept", gateway.Url("kay", KubeScene.Team), KubeScene.Limit));
        Assert.Equal("rows 3\n", await client.OpenAsync("lost", gateway.Url("lou", KubeScene.Team), KubeScene.Limit));
        await client.RunAsync("kept.range(7).createOrReplaceTempView('mine')");
        var pod = $"{Assert.Single(await KubeScene.SessionsOfAsync(gateway, "lou"))}-driver";

        try
        {
            await PassAsync(scene, account, gateway, fault, pod, async () => Assert.Equal("rows 7\n", await client.RunAsync("print('rows', kept.table('mine').count())")));
        }
        finally
        {
            // For the tests that follow, however this one ends.
            await scene.Plane.ControlAsync("thaw");
            await scene.Plane.ControlAsync("thaw", Operator);
        }

        await Deadlines.UntilAsync("the end of the session whose driver is gone", async () => (await KubeScene.SessionsOfAsync(gateway, "lou")).Count == 0, KubeScene.Limit);
        var told = await client.RunAsync("print('not told', lost.range(2).count())");
        Assert.StartsWith("told [INVALID_HANDLE.SESSION_CHANGED]", told, StringComparison.Ordinal);
        Assert.Contains($"somebody deleted its pod {KubeScene.Namespace}/{pod}", told, StringComparison.Ordinal);
        Assert.Equal("rows 3\n", await client.OpenAsync("another", gateway.Url("ned", KubeScene.Team), KubeScene.Limit));
        Assert.Equal("rows 7\n", await client.RunAsync("print('rows', kept.table('mine').count())"));
        await Deadlines.UntilAsync("the gateway's fresh knowledge", async () => (await gateway.ReadinessAsync("kubernetes")).Reason == "ok", KubeScene.Limit);
        await scene.ClearAsync(gateway);
    }

    /// <summary>Lets the fault come and go. The pod vanishes during it, where nobody can tell the gateway.</summary>
    private static async Task PassAsync(KubeScene scene, KubeAccount account, GatewayProcess gateway, string fault, string pod, Func<Task> during)
    {
        var plane = scene.Plane;
        if (fault == "the operator is down")
        {
            await plane.ControlAsync("freeze", Operator);
            await plane.KubectlAsync("", "-n", KubeScene.Namespace, "delete", "pod", pod, "--wait=false");
            await during();
            await plane.ControlAsync("restart", Operator);
            return;
        }

        // A server that stands still tells nobody what happens in its store.
        if (fault == "the token is replaced") await account.ReplaceAsync();
        await plane.ControlAsync("freeze");
        await plane.EraseAsync($"pods/{KubeScene.Namespace}/{pod}");
        switch (fault)
        {
            case "the API server is restarted":
                var outage = plane.ControlAsync("restart", "kube-apiserver", "3");
                await during();
                await outage;
                break;
            case "its history is forgotten":
                await during();
                await plane.ControlAsync("expire");
                break;
            case "the token is replaced":
                await plane.ControlAsync("restart", "kube-apiserver", "0");
                await ReasonAsync(gateway, "does not accept the gateway's credential");
                await during();
                await account.WriteTokenAsync();
                break;
            default:
                await ReasonAsync(gateway, "could not be asked");
                await during();
                await plane.ControlAsync("thaw");
                break;
        }
    }

    private static Task ReasonAsync(GatewayProcess gateway, string part) =>
        Deadlines.UntilAsync($"the gateway's word that the API server {part}", async () => (await gateway.ReadinessAsync("kubernetes")).Reason.Contains(part, StringComparison.Ordinal), KubeScene.Limit);
}
