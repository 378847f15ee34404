using SparkGateway.Domain.Sessions;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>A notebook that was left alone, and comes back through another replica.</summary>
[Collection(nameof(Alone))]
public sealed class NotebookTests
{
    private static readonly string[] Short =
    [
        .. ReplicaScene.QuickJudges, "spark_connect.idle_timeout_minutes=0.1", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=0",
        "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1", "local.driver_memory=512m",
    ];

    [Fact]
    public async Task BackAfterItsSessionEndedIdle_ThroughAnotherReplica_ReadsWhyAndGoesOn()
    {
        using var marker = new Marker();
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var scene = await ReplicaScene.StartAsync(new GatewaySetup { StartsDrivers = true, Settings = Short }, database.ConnectionString);
        await using var way = TcpCutter.Start(scene.Replicas[0].Port);
        await using var client = PythonClient.Start(
            $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession

            def say(what):
                print(what, spark.session_id, spark.conf.get("spark.app.name"), flush=True)

            spark = SparkSession.builder.remote(URL).getOrCreate()
            spark.range(5).createOrReplaceTempView("gone")
            say("first")
            open(READY, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            try:
                print("not told", spark.table("gone").count())
            except Exception as error:
                print("told", " ".join(str(error).split()))
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("again", spark.range(4).count())
            say("second")
            spark.stop()
            """,
            GatewayProcess.UrlOf(way.Port, "ada"));
        await marker.SeenAsync("ready", client);
        var first = Said(scene, client, "first");
        Assert.Equal("idle", (await scene.Ledger.EndedAsync(first)).EndReason);
        await scene.Ledger.SettledAsync();
        await way.DisposeAsync();
        await using var other = TcpCutter.Start(scene.Replicas[1].Port, way.Port);

        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout (6 seconds, last used at", output, StringComparison.Ordinal);
        Assert.Contains("again 4", output, StringComparison.Ordinal);
        var second = await scene.Ledger.SessionOfAsync(Said(scene, client, "second"));
        Assert.NotEqual((await scene.Ledger.SessionOfAsync(first)).Owner, second.Owner);
        await scene.Ledger.SettledAsync();
        await scene.EndAsync();
    }

    private static ClientSessionKey Said(ReplicaScene scene, OwnedProcess client, string what)
    {
        var words = client.Lines.Single(line => line.StartsWith($"{what} ", StringComparison.Ordinal)).Split(' ');
        var key = new ClientSessionKey("ada", words[1]);
        scene.Ledger.Answered(key, words[2]);
        return key;
    }
}
