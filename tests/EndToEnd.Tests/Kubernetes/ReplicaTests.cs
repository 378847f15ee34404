using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Three replicas, one PostgreSQL, one cluster: whichever of them a call comes to, its client session has one driver.</summary>
[Collection(nameof(Alone))]
public sealed class ReplicaTests(SharedPlane shared)
{
    private const int Replicas = 3;
    private const int Sessions = 3;

    [Fact]
    public async Task ClientSessions_ThatCallAllReplicasAtOnce_HaveOneApplicationEach()
    {
        var scene = await shared.SceneAsync();
        await using var replicas = await KubeReplicas.StartAsync(scene, Replicas);
        var gateways = replicas.Gateways;

        // The same client sessions on every replica, all at once.
        var ids = Enumerable.Range(0, Sessions).Select(_ => Guid.NewGuid().ToString()).ToList();
        var urls = gateways.SelectMany(gateway => ids.Select(id => gateway.Url("rex", [.. KubeScene.Team, $"session_id={id}"])));
        var output = await PythonClient.RunAsync(
            """
            from concurrent.futures import ThreadPoolExecutor
            from pyspark.sql import SparkSession

            def count(url):
                return SparkSession.builder.remote(url).create().range(5).count()

            urls = URL.split(" ")
            with ThreadPoolExecutor(len(urls)) as pool:
                print("counts", *pool.map(count, urls))
            """,
            string.Join(' ', urls), KubeScene.Limit);
        Assert.Contains($"counts {string.Join(' ', Enumerable.Repeat(5, Replicas * Sessions))}", output, StringComparison.Ordinal);

        var sessions = await KubeScene.SessionsOfAsync(gateways[0], "rex");
        Assert.Equal(Sessions, sessions.Count);
        Assert.Equal(sessions.Order(StringComparer.Ordinal), (await scene.NamesOfAsync(gateways[1])).Order(StringComparer.Ordinal));
        Assert.Equal(Sessions, replicas.Made("sparkapplications"));
        foreach (var name in sessions) await gateways[2].SessionsAsync("close", $"{KubeScene.Namespace}/{name}", "--note", "done");
        await Deadlines.UntilAsync("the end of all of them", async () => (await scene.NamesOfAsync(gateways[0])).Count == 0, KubeScene.Limit);
    }
}
