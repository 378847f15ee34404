using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A driver that cannot start: its user reads soon why, and who can help, and nothing is left on the cluster.</summary>
[Collection(nameof(Alone))]
public sealed class StartFailureTests(SharedPlane shared)
{
    private static readonly string[] Graces = ["kubernetes.unschedulable_grace_seconds=2", "kubernetes.image_grace_seconds=2", "kubernetes.configuration_grace_seconds=2"];

    [Theory]
    [InlineData("unschedulable", "no node of the cluster takes its pod")]
    [InlineData("config-error", "its container cannot be made (CreateContainerConfigError")]
    [InlineData("crash:1:3", "code 3")]
    [InlineData("oom:1", "OOMKilled")]
    [InlineData("evict:1", "the cluster ended its pod")]
    public async Task Pod_WithAFault_TellsTheClient(string fault, string text)
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await GatewayProcess.StartAsync(scene.Setup("sleep:600", Graces) with { Config = scene.Config("sleep:600", fault) });
        await KubeScene.SyncedAsync(gateway);

        await AssertToldAsync(scene, gateway, text);
    }

    [Fact]
    public async Task Image_ThatIsNowhere_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("nowhere/unknown:1", Graces);

        await AssertToldAsync(scene, gateway, "image nowhere/unknown:1 cannot be pulled");
    }

    [Fact]
    public async Task Quota_OfApplications_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600");
        await scene.ApplyAsync("""{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"count/sparkapplications.sparkoperator.k8s.io": "0"}}}""");
        try
        {
            await Deadlines.UntilAsync("the quota", async () => (await scene.ListAsync("resourcequotas")).Any(quota => quota.GetProperty("status").TryGetProperty("hard", out _)));

            await AssertToldAsync(scene, gateway, "quota");
        }
        finally
        {
            await scene.Plane.KubectlAsync("", "delete", "resourcequota", "none", "-n", KubeScene.Namespace);
        }
    }

    [Fact]
    public async Task ServiceAccount_ThatIsNotThere_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await GatewayProcess.StartAsync(scene.Setup("sleep:600") with { Config = scene.Config("sleep:600").Replace("spark_version", "service_account: nosuch\n        spark_version", StringComparison.Ordinal) });
        await KubeScene.SyncedAsync(gateway);

        await AssertToldAsync(scene, gateway, "nosuch");
    }

    [Fact]
    public async Task Namespace_OutsideTheAllowedOnes_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600");

        var output = await FailAsync(gateway, "x-doordash-team=other", "x-doordash-environment=control");

        Assert.Contains("sjns-other-control", output, StringComparison.Ordinal);
        Assert.Contains("kubernetes.namespaces", output, StringComparison.Ordinal);
    }

    private static async Task AssertToldAsync(KubeScene scene, GatewayProcess gateway, string text)
    {
        var output = await FailAsync(gateway, KubeScene.Team);

        Assert.Contains(text, output, StringComparison.Ordinal);
        await Deadlines.UntilAsync("the end of what the start has left", async () => (await scene.NamesOfAsync(gateway)).Count == 0, KubeScene.Limit);
    }

    private static async Task<string> FailAsync(GatewayProcess gateway, params string[] team)
    {
        var output = await PythonClient.RunAsync(
            """
            import time
            from pyspark.sql import SparkSession
            try:
                print("not told", SparkSession.builder.remote(URL).getOrCreate().range(2).count())
            except Exception as error:
                print("told", " ".join(str(error).split()))
            """,
            gateway.Url("ada", team));
        Assert.Contains("told", output, StringComparison.Ordinal);
        Assert.DoesNotContain("not told", output, StringComparison.Ordinal);
        return output;
    }
}
