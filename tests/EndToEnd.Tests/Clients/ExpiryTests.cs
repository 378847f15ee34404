using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>A notebook that was left alone for longer than its session lives.</summary>
public sealed class ExpiryTests
{
    /// <summary>What such a client may ask in all: one that tries again without end asks hundreds of times a second.</summary>
    private const int FewCalls = 100;

    [Fact]
    public async Task IdleNotebook_ThatComesBack_ReadsWhyAndGoesOnWithGetOrCreate()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            StartsDrivers = true,
            Settings =
            [
                "spark_connect.idle_timeout_minutes=0.2", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=0",
                "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1",
            ],
        });
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
        await Deadlines.UntilAsync("the end of the idle session", async () => await gateway.MetricAsync("spark_connect_sessions_expired_total", "idle") >= 1, PythonClient.Limit);
        Assert.Empty(gateway.Drivers());

        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout (12 seconds, last used at", output, StringComparison.Ordinal);
        Assert.Contains("again 4", output, StringComparison.Ordinal);
        Assert.InRange(await gateway.MetricAsync("spark_connect_proxy_requests_total"), 1, FewCalls);
    }
}
