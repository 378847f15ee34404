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

        // Without a word to anybody, and others' drivers until one of them has its address.
        await scene.Plane.KubectlAsync("", "delete", "pod", $"{name}-driver", "-n", KubeScene.Namespace, "--grace-period=0", "--force");
        for (var other = 0; other < 4; other++) await scene.ApplyAsync(Application($"other-{other}"));
        await Deadlines.UntilAsync("another pod at the old address", async () => await HasAsync(scene, address), KubeScene.Limit);
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.DoesNotContain("not told", output, StringComparison.Ordinal);
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
