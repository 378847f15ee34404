using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>What stock clients live through when a connection or the gateway dies under a running query.</summary>
public sealed class BreakTests(SharedDrivers drivers)
{
    private const string Name = "shared";

    /// <summary>A query that says by a file that it runs, then takes SECONDS.</summary>
    private const string Slow =
        """
        import time
        from pyspark.sql import SparkSession

        def slow(spark, seconds):
            marker = RUNNING
            def nap(frames):
                import time
                open(marker, "w").close()
                for frame in frames:
                    time.sleep(seconds)
                    yield frame
            return spark.range(1, numPartitions=1).mapInPandas(nap, "id long").selectExpr("count(*) c").collect()[0][0]


        """;

    [Theory]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.Rst)]
    public async Task ConnectionToADriver_CutInsideAFrame_LosesNothing(Cut cut)
    {
        await using var cutter = TcpCutter.Start((await drivers.SparkAsync()).Port);
        await using var gateway = await StartAsync(cutter.Address);
        var plan = cutter.CutIn(Way.Down, cut, frame => frame is { Type: FrameType.Data, Length: > 20_000 }, bytesIn: 10_000);

        var output = await PythonClient.RunAsync(
            """
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            frame = spark.range(0, 3_000_000, 1, 4).selectExpr("id", "id * 3 AS t").toPandas()
            print("rows", len(frame), frame.id.nunique(), frame.id.sum(), frame.t.sum())
            spark.stop()
            """,
            gateway.Url("ada", $"x-spark-session-id={Name}"));

        await plan.DoneAsync();
        Assert.Contains("rows 3000000 3000000 4499998500000 13499995500000", output, StringComparison.Ordinal);
        Assert.InRange(cutter.Links.Count, 2, 4);
    }

    [Fact]
    public async Task ConnectionToADriver_CutInAnUpload_LosesNothing()
    {
        await using var cutter = TcpCutter.Start((await drivers.SparkAsync()).Port);
        await using var gateway = await StartAsync(cutter.Address);
        var frames = 0;
        var plan = cutter.CutIn(Way.Up, Cut.Rst, frame => frame is { Type: FrameType.Data, Length: > 10_000 } && ++frames == 100, bytesIn: 5_000);

        var output = await PythonClient.RunAsync(
            """
            import os
            import pandas as pd
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            text = os.urandom(512).hex()
            frame = pd.DataFrame({"id": range(20_000), "text": ["%06d%s" % (i, text) for i in range(20_000)]})
            row = spark.createDataFrame(frame).selectExpr("count(*) n", "sum(length(text)) c", "sum(id) s").collect()[0]
            print("rows", row.n, row.c, row.s)
            spark.stop()
            """,
            gateway.Url("ada", $"x-spark-session-id={Name}"));

        await plan.DoneAsync();
        Assert.Contains("rows 20000 20600000 199990000", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GatewayKilledAndStartedAgain_ClientOfAnAttachedDriver_GoesOn()
    {
        using var marker = new Marker();
        await using var gateway = await StartAsync((await drivers.SparkAsync()).Address);
        await using var client = PythonClient.Start(
            $"RUNNING = '{marker.Path("running")}'\n{Slow}" +
            """
            spark = SparkSession.builder.remote(URL).getOrCreate()
            spark.range(5).createOrReplaceTempView("kept")
            print("slow", slow(spark, 8))
            print("kept", spark.table("kept").count())
            spark.stop()
            """,
            gateway.Url("ada", $"x-spark-session-id={Name}"));
        await marker.SeenAsync("running", client);

        gateway.Kill();
        await gateway.StartAgainAsync();

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("slow 1", output, StringComparison.Ordinal);
        Assert.Contains("kept 5", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GatewayRestarted_ClientBoundByConfig_IsStillBound()
    {
        using var marker = new Marker();
        await using var gateway = await StartAsync((await drivers.SparkAsync()).Address);
        await using var client = PythonClient.Start(
            $"READY, GO = '{marker.Path("ready")}', '{marker.Path("go")}'\n" +
            """
            import os, time
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).config("spark.connect.grpc.header.x-spark-session-id", "shared").getOrCreate()
            spark.range(5).createOrReplaceTempView("kept")
            open(READY, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            print("kept", spark.table("kept").count())
            spark.stop()
            """,
            gateway.Url("ada"));
        await marker.SeenAsync("ready", client);

        Assert.Equal(0, await gateway.TerminateAsync());
        await gateway.StartAgainAsync();
        marker.Set("go");

        Assert.Contains("kept 5", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
    }

    private static Task<GatewayProcess> StartAsync(string address) =>
        GatewayProcess.StartAsync(new GatewaySetup { Attached = [new Attached(Name, "e2e", address)] });
}
