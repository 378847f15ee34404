using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>However the gateway ends, its drivers end with it.</summary>
public sealed class GatewayEndTests
{
    private static readonly TimeSpan DriversGone = TimeSpan.FromSeconds(20);

    private const string LongQuery =
        """
        import time
        from pyspark.sql import SparkSession

        def nap(frames):
            open(RUNNING, "w").close()
            for frame in frames:
                time.sleep(300)
                yield frame

        spark = SparkSession.builder.remote(URL).getOrCreate()
        spark.range(1, numPartitions=1).mapInPandas(nap, "id long").collect()
        """;

    [Fact]
    public async Task Terminated_WithADriverAndAnOpenQuery_EndsCleanlyAndLeavesNothing()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        await using var client = PythonClient.Start($"RUNNING = '{marker.Path("running")}'\n{LongQuery}", gateway.Url("ada"));
        await marker.SeenAsync("running", client);
        Assert.NotEmpty(gateway.Drivers());

        Assert.Equal(0, await gateway.TerminateAsync());

        Assert.Empty(gateway.Descendants());
        Assert.DoesNotContain(gateway.Process.Lines, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Killed_WithADriverAndAnOpenQuery_LeavesNothing()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        await using var client = PythonClient.Start($"RUNNING = '{marker.Path("running")}'\n{LongQuery}", gateway.Url("ada"));
        await marker.SeenAsync("running", client);

        gateway.Kill();

        await Deadlines.UntilAsync("the end of the gateway's drivers", () => gateway.Descendants().Count == 0, DriversGone);
    }

    [Fact]
    public async Task KilledAndStartedAgain_ClientOfALostDriver_IsToldAndGetsANewOne()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        await using var client = PythonClient.Start(
            $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            spark.range(5).createOrReplaceTempView("gone")
            open(READY, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            try:
                print("not told", spark.table("gone").count())
            except Exception as error:
                print("told", " ".join(str(error).split()))
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("again", spark.range(4).count())
            spark.stop()
            """,
            gateway.Url("ada"));
        await marker.SeenAsync("ready", client);

        gateway.Kill();
        await gateway.StartAgainAsync();
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("again 4", output, StringComparison.Ordinal);
    }
}
