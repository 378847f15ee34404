using System.Text.RegularExpressions;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Stock PySpark with the seed's two headers, and nothing else: the gateway makes the driver.</summary>
[Collection(nameof(Alone))]
public sealed partial class OnDemandTests(SharedPlane shared)
{
    [Fact]
    public async Task StockPySpark_WithTeamAndEnvironment_GetsADriverPodOfItsOwn()
    {
        var scene = await shared.SceneAsync();
        using var marker = new Marker();
        await using var gateway = await scene.GatewayAsync();

        await using var client = PythonClient.Start(
            $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("sum", spark.range(100_000).selectExpr("sum(id) AS s").first().s, flush=True)
            open(READY, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            spark.stop()
            """,
            gateway.Url("ada", KubeScene.Team));
        await marker.SeenAsync("ready", client, KubeScene.Limit);

        var application = Assert.Single(await KubeScene.SessionsOfAsync(gateway, "ada"));
        Assert.Matches(Name(), application);
        var pod = Assert.Single(await scene.ListAsync("pods", $"sparkoperator.k8s.io/app-name={application}"));
        var address = pod.GetProperty("status").GetProperty("podIP").GetString();
        var listed = await gateway.SessionsAsync("list", "-o", "json");
        Assert.Contains($"{address}:15002", listed, StringComparison.Ordinal);
        marker.Set("go");
        Assert.Contains("sum 4999950000", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
        await gateway.SessionsAsync("close", $"{KubeScene.Namespace}/{application}", "--note", "done");
        await Deadlines.UntilAsync("the end of application, pod and Secret", async () => !await scene.ExistsAsync(application), KubeScene.Limit);
    }

    [GeneratedRegex("^spark-connect-data-[a-z2-7]{8}\\z")]
    private static partial Regex Name();
}
