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

        // Also what stands below the first line: for whoever it is forwarded to.
        await FailedStart.AssertToldAsync(scene, gateway, text, "SparkApplication sjns-data-control/spark-connect-data-", ", profile default.");
    }

    [Fact]
    public async Task Image_ThatIsNowhere_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("nowhere/unknown:1", Graces);

        await FailedStart.AssertToldAsync(scene, gateway, "image nowhere/unknown:1 cannot be pulled");
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

            await FailedStart.AssertToldAsync(scene, gateway, "quota");
        }
        finally
        {
            await scene.Plane.KubectlAsync("", "delete", "resourcequota", "none", "-n", KubeScene.Namespace);
        }
    }

    /// <summary>What the operator's spark-submit is refused comes back in its own words, of which one line tells.</summary>
    [Theory]
    [InlineData("""{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}""", "quota none of namespace sjns-data-control is used up (requested: pods=1")]
    [InlineData("""{"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "none"}, "spec": {"limits": [{"type": "Pod", "max": {"memory": "1Mi"}}]}}""", "was refused by the cluster: pods")]
    public async Task Submission_ThatTheClusterRefuses_TellsTheClient(string limit, string text)
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600");
        await scene.ApplyAsync(limit);
        try
        {
            await Deadlines.UntilAsync("the quota", async () => (await scene.ListAsync("resourcequotas")).All(quota => quota.GetProperty("status").TryGetProperty("hard", out _)));

            await FailedStart.AssertToldAsync(scene, gateway, text, "For whoever manages the namespace");
        }
        finally
        {
            await scene.Plane.KubectlAsync(limit, "delete", "-n", KubeScene.Namespace, "-f", "-");
        }
    }

    [Fact]
    public async Task ServiceAccount_ThatIsNotThere_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await GatewayProcess.StartAsync(scene.Setup("sleep:600") with { Config = scene.Config("sleep:600").Replace("spark_version", "service_account: nosuch\n        spark_version", StringComparison.Ordinal) });
        await KubeScene.SyncedAsync(gateway);

        await FailedStart.AssertToldAsync(scene, gateway, "nosuch");
    }

    [Fact]
    public async Task Namespace_OutsideTheAllowedOnes_TellsTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600");

        var told = await FailedStart.TellAsync(gateway, "x-doordash-team=other", "x-doordash-environment=control");

        Assert.Contains("sjns-other-control", told, StringComparison.Ordinal);
        Assert.Contains("kubernetes.namespaces", told, StringComparison.Ordinal);
    }
}
