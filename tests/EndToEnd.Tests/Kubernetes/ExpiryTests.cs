using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A session that nobody uses any more leaves nothing on the cluster.</summary>
[Collection(nameof(Alone))]
public sealed class ExpiryTests(SharedPlane shared)
{
    [Fact]
    public async Task IdleSession_Ends_AndItsApplicationPodAndSecretGo()
    {
        var scene = await shared.SceneAsync();
        using var marker = new Marker();
        await using var gateway = await scene.GatewayAsync("sail:1", "spark_connect.idle_timeout_minutes=0.1", "spark_connect.expiry_interval_seconds=1",
            "spark_connect.expiry_hold_seconds=0", "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1");
        await using var client = KubeScene.StartWaiting(marker, gateway.Url("ida", KubeScene.Team));
        await marker.SeenAsync("ready", client, KubeScene.Limit);
        var name = (await KubeScene.SessionsOfAsync(gateway, "ida")).Single();

        await Deadlines.UntilAsync("the end of application, pod and Secret", async () => !await scene.ExistsAsync(name), KubeScene.Limit);
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout", output, StringComparison.Ordinal);
    }
}
