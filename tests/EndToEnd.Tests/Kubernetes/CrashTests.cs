using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>The gateway dies by SIGKILL and comes back: what it had begun is taken up or cleared away, never doubled.</summary>
[Collection(nameof(Alone))]
public sealed class CrashTests(SharedPlane shared)
{
    internal const string Patient =
        """
        import time
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("rows", spark.range(5).count(), flush=True)
        """;

    [Fact]
    public async Task KilledWhileADriverStarts_TheNextOneGoesOnWithThatDriver()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await GatewayProcess.StartAsync(scene.Setup("sail:1", KubeScene.Quick) with { Config = scene.Config("sail:1", "start-delay:6") });
        await KubeScene.SyncedAsync(gateway);
        await using var client = PythonClient.Start(Patient, gateway.Url("kim", KubeScene.Team));
        await Deadlines.UntilAsync("the application", async () => (await scene.NamesOfAsync(gateway)).Count == 1, KubeScene.Limit);

        gateway.Kill();
        await gateway.StartAgainAsync();

        Assert.Contains("rows 5", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
        Assert.Single(await scene.NamesOfAsync(gateway));
    }

    [Fact]
    public async Task KilledWhileASessionIsReady_TheNextOneServesTheSameDriver()
    {
        var scene = await shared.SceneAsync();
        using var marker = new Marker();
        await using var gateway = await scene.GatewayAsync("sail:1", KubeScene.Quick);
        await using var client = PythonClient.Start(
            $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            spark.range(7).createOrReplaceTempView("kept")
            open(READY, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            # Meets the new gateway with a call that every client repeats as it is: see docs/faults.md about Sail.
            spark.version
            print("kept", spark.table("kept").count(), flush=True)
            """,
            gateway.Url("ken", KubeScene.Team));
        await marker.SeenAsync("ready", client, KubeScene.Limit);

        gateway.Kill();
        await gateway.StartAgainAsync();
        marker.Set("go");

        Assert.Contains("kept 7", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
        Assert.Single(await scene.NamesOfAsync(gateway));
    }

    [Fact]
    public async Task KilledWhileASessionEnds_TheNextOneEndsIt()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await GatewayProcess.StartAsync(scene.Setup("sail:1", KubeScene.Quick) with { Config = scene.Config("sail:1", "slow-stop") });
        await KubeScene.SyncedAsync(gateway);
        await PythonClient.RunAsync(Patient, gateway.Url("kai", KubeScene.Team));
        var name = Assert.Single(await KubeScene.SessionsOfAsync(gateway, "kai"));

        await gateway.SessionsAsync("close", $"{KubeScene.Namespace}/{name}", "--note", "killed in the middle");
        gateway.Kill();
        await gateway.StartAgainAsync();

        await Deadlines.UntilAsync("the end of application, pod and Secret", async () => !await scene.ExistsAsync(name), KubeScene.Limit);
        await Deadlines.UntilAsync("the end of the session", async () => (await KubeScene.SessionsOfAsync(gateway, "kai")).Count == 0, KubeScene.Limit);
    }

    [Fact]
    public async Task ApplicationOfAnEndedSession_IsRemoved_AndThatOfAnotherGatewayIsNot()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1", KubeScene.Quick);
        await PythonClient.RunAsync(Patient, gateway.Url("kat", KubeScene.Team));
        var name = Assert.Single(await KubeScene.SessionsOfAsync(gateway, "kat"));
        var application = (await scene.ListAsync("sparkapplications")).Single(item => KubeScene.NameOf(item) == name).GetRawText();
        await gateway.SessionsAsync("close", $"{KubeScene.Namespace}/{name}", "--note", "done");
        await Deadlines.UntilAsync("its end", async () => !await scene.ExistsAsync(name), KubeScene.Limit);

        // As if the deletion had never been done; and one that only differs in whose it is.
        var mine = KubeScene.Again(application, name);
        var others = KubeScene.Again(application, "spark-connect-data-others22").Replace(KubeScene.InstanceOf(application), Guid.NewGuid().ToString(), StringComparison.Ordinal);
        await scene.ApplyAsync(others);
        await scene.ApplyAsync(mine);

        await Deadlines.UntilAsync("the orphan's end", async () => !await scene.ExistsAsync(name), KubeScene.Limit);
        Assert.True(await scene.ExistsAsync("spark-connect-data-others22"));
        await scene.Plane.KubectlAsync("", "delete", "sparkapplication", "spark-connect-data-others22", "-n", KubeScene.Namespace);
    }

    [Fact]
    public async Task DriverDeletedBySomebody_WhileNoGatewayRuns_EndsItsSessionAsLost()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1", KubeScene.Quick);
        await PythonClient.RunAsync(Patient, gateway.Url("kit", KubeScene.Team));
        var name = Assert.Single(await KubeScene.SessionsOfAsync(gateway, "kit"));
        gateway.Kill();
        await scene.Plane.KubectlAsync("", "delete", "sparkapplication", name, "-n", KubeScene.Namespace);

        await gateway.StartAgainAsync();

        await Deadlines.UntilAsync("the end of the session", async () => (await KubeScene.SessionsOfAsync(gateway, "kit")).Count == 0, KubeScene.Limit);
        Assert.Contains("\"lost\"", await gateway.SessionsAsync("describe", $"{KubeScene.Namespace}/{name}", "-o", "json"), StringComparison.OrdinalIgnoreCase);
    }
}
