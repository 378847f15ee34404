using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>A streaming query whose client has gone is work that no open call shows.</summary>
public sealed class StreamingTests
{
    /// <summary>Some looks for sessions that end, each a second after the other.</summary>
    private const int Looks = 8;

    private const string Query =
        """
        import time
        from pyspark.sql import SparkSession

        def work(frames):
            import os
            if os.path.exists(STOP):
                raise RuntimeError("enough")
            yield from frames

        spark = SparkSession.builder.remote(URL).getOrCreate()
        rows = spark.readStream.format("rate").load().mapInPandas(work, "timestamp timestamp, value long")
        query = rows.writeStream.format("noop").trigger(processingTime="2 seconds").start()
        while query.lastProgress is None:
            time.sleep(0.2)
        open(RUNNING, "w").close()
        time.sleep(600)
        """;

    [Fact]
    public async Task StreamingQuery_WithoutAClient_KeepsItsSessionUntilItEnds()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            StartsDrivers = true,
            Settings = ["spark_connect.protect_running_queries=true", "spark_connect.driver_ask_seconds=20", .. Raw.ExpiryTests.Short],
        });
        await using var client = PythonClient.Start($"RUNNING, STOP = '{marker.Path("running")}', '{marker.Path("stop")}'\n{Query}", gateway.Url("ada"));
        await marker.SeenAsync("running", client);

        client.Signal("KILL");

        await gateway.Process.LineAsync("the word that it is kept", line => line.Contains("is idle and kept", StringComparison.Ordinal), PythonClient.Limit);
        var before = await LooksAsync(gateway);
        await Deadlines.UntilAsync("more looks", async () => await LooksAsync(gateway) >= before + Looks, PythonClient.Limit);
        Assert.Equal(1, await gateway.MetricAsync("spark_connect_sessions_active"));
        marker.Set("stop");
        await gateway.Process.LineAsync("the end of the session", line => line.Contains("ended: Idle", StringComparison.Ordinal), PythonClient.Limit);
        Assert.DoesNotContain(gateway.Process.Lines, line => line.Contains("does not say whether it still works", StringComparison.Ordinal));
    }

    private static Task<double> LooksAsync(GatewayProcess gateway) => gateway.MetricAsync("spark_gateway_use_case_duration_seconds_count", "use_case=\"ExpireSessions\"");
}
