using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A node with so few addresses that a dead driver's goes to the next pod at once.</summary>
[Collection(nameof(Alone))]
public sealed class AddressReuseTests
{
    [Fact]
    public async Task Address_ThatAnotherPodHasTaken_GetsNoCallOfTheOldSession()
    {
        await using var scene = await KubeScene.StartAsync("--", "--pool", "127.77.0.0/30");
        using var marker = new Marker();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await using var client = KubeScene.StartWaiting(marker, gateway.Url("ivy", KubeScene.Team));
        await marker.SeenAsync("ready", client, KubeScene.Limit);
        var name = Assert.Single(await KubeScene.SessionsOfAsync(gateway, "ivy"));
        var address = await AddressAsync(scene, name);

        await TakeAddressAsync(scene, name, address);
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.DoesNotContain("not told", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Address_ThatAnotherPodHasTaken_GetsNoCallFromAReplicaThatIsBehind()
    {
        await using var scene = await KubeScene.StartAsync("--", "--pool", "127.78.0.0/30");
        using var marker = new Marker();
        await using var replicas = await KubeReplicas.StartAsync(scene, 3);
        var behind = replicas.Gateways[2];
        await using var client = KubeScene.StartWaiting(marker, behind.Url("ivo", KubeScene.Team));
        await marker.SeenAsync("ready", client, KubeScene.Limit);
        var name = Assert.Single(await KubeScene.SessionsOfAsync(behind, "ivo"));
        var address = await AddressAsync(scene, name);

        // The others see the pod go, but never had a call for it.
        replicas.Proxies[2].StopWatches();
        await TakeAddressAsync(scene, name, address);
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.DoesNotContain("not told", output, StringComparison.Ordinal);
        Assert.Empty(await KubeScene.SessionsOfAsync(replicas.Gateways[0], "ivo"));
    }

    /// <summary>The pod goes without a word to anybody, and others' drivers come until one of them has its address.</summary>
    private static async Task TakeAddressAsync(KubeScene scene, string name, string address)
    {
        await scene.Plane.KubectlAsync("", "delete", "pod", $"{name}-driver", "-n", KubeScene.Namespace, "--grace-period=0", "--force");
        for (var other = 0; other < 4; other++) await scene.ApplyAsync(Application($"other-{other}"));
        await Deadlines.UntilAsync("another pod at the old address", async () => await HasAsync(scene, address), KubeScene.Limit);
    }

    private static string Application(string name) => """
        {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": {"name": "NAME"},
         "spec": {"type": "Scala", "mode": "cluster", "sparkVersion": "4.2.0", "image": "sail:1", "mainClass": "their.Job", "mainApplicationFile": "local:///job.jar",
                  "driver": {"serviceAccount": "spark"}, "executor": {}}}
        """.Replace("NAME", name, StringComparison.Ordinal);

    private static async Task<string> AddressAsync(KubeScene scene, string application) =>
        (await scene.ListAsync("pods", $"sparkoperator.k8s.io/app-name={application}")).Single().GetProperty("status").GetProperty("podIP").GetString()!;

    private static async Task<bool> HasAsync(KubeScene scene, string address) => (await scene.ListAsync("pods")).Any(pod =>
        KubeScene.NameOf(pod).StartsWith("other-", StringComparison.Ordinal)
        && pod.GetProperty("status").TryGetProperty("podIP", out var ip) && ip.GetString() == address
        && pod.GetProperty("status").GetProperty("phase").GetString() == "Running");
}
