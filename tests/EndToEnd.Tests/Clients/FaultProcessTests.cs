using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Drivers, clients and networks that stop for a while or for good, in the middle of a stock client's query.</summary>
public sealed class FaultProcessTests(SharedDrivers drivers)
{
    private const string Lost = "The connection to the driver of session e2e/shared failed";

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task AttachedDriver_FrozenThenKilled_BothClients()
    {
        await using var driver = await DirectDriver.StartSparkAsync();
        await using var python = await FaultBench.StartAsync(StockClient.Python, driver, isPatient: false);
        await using var jvm = await FaultBench.StartAsync(StockClient.Jvm, driver, isPatient: false);

        // A frozen driver: nobody is told anything, and all goes on when it does.
        await python.InMidQueryAsync(() => driver.Process.Signal("STOP"));
        jvm.Begin();
        await jvm.OpenCallsAsync(any: true);
        driver.Process.Signal("CONT");
        Assert.Equal((FaultBench.Rows, FaultBench.Rows), (await python.ResultAsync(), await jvm.ResultAsync()));

        // A frozen client holds up itself alone.
        await jvm.InMidQueryAsync(() => jvm.Client.Signal("STOP"));
        Assert.Equal(FaultBench.Rows, await python.QueryAsync());
        jvm.Client.Signal("CONT");
        Assert.Equal(FaultBench.Rows, await jvm.ResultAsync());

        // A driver that is gone: UNAVAILABLE until the client's patience ends.
        await jvm.InMidQueryAsync(() => driver.Process.Signal("KILL"));
        Assert.Contains(Lost, await jvm.ResultAsync(), StringComparison.Ordinal);
        Assert.Contains(Lost, await python.QueryAsync(), StringComparison.Ordinal);

        // Another driver at its address knows nothing of these sessions, and says so: to the query, or to a release before it,
        // after which PySpark asks for a new session by itself.
        var other = await drivers.SparkAsync();
        foreach (var bench in new[] { python, jvm })
        {
            await bench.Back.DisposeAsync();
            bench.Reopen(other);
            Assert.Matches("INVALID_HANDLE.SESSION_CHANGED|NO_ACTIVE_SESSION", await bench.QueryAsync());
        }
    }

    [Fact]
    public async Task Network_OutForHalfAMinute_LosesNothing_AndAKilledClientLeavesNothing()
    {
        var driver = await drivers.SparkAsync();
        await using var python = await FaultBench.StartAsync(StockClient.Python, driver);
        await using var jvm = await FaultBench.StartAsync(StockClient.Jvm, driver);
        var benches = new[] { python, jvm };

        await Task.WhenAll(benches.Select(bench => bench.InMidQueryAsync(bench.Stop)));
        await Task.Delay(Outage, TimeProvider.System, TestContext.Current.CancellationToken);
        foreach (var bench in benches) bench.Continue();
        foreach (var bench in benches) Assert.Equal(FaultBench.Rows, await bench.ResultAsync());

        foreach (var bench in benches)
        {
            await bench.InMidQueryAsync(() => bench.Client.Signal("KILL"));
            await bench.OpenCallsAsync(any: false);
        }
    }

    [Fact]
    public async Task Jvm_ItsDriverOnDemandKilled_IsOneClearErrorAndANewSessionIsThere()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        await using var client = JavaClient.Start(
            """
            SparkSession spark = SparkSession.builder().remote(url).getOrCreate();
            System.out.println("first " + spark.range(3).count());
            try {
                spark.range(1).selectExpr("reflect('java.lang.Thread', 'sleep', 120000L)").collectAsList();
                System.out.println("no error");
            } catch (Exception error) {
                System.out.println("error " + String.join(" ", String.valueOf(error.getMessage()).split("\\s+")));
            }
            try {
                // A stock JVM client notices the end of its session at its next small call only, not in the stream above.
                spark.range(7).count();
            } catch (Exception error) {
                System.out.println("noticed");
            }
            spark = SparkSession.builder().remote(url).getOrCreate();
            System.out.println("again " + spark.range(7).count());
            spark.close();
            """,
            gateway.Url("ada"));
        await client.LineAsync("its first answer", line => line == "first 3", PythonClient.Limit);
        await Deadlines.UntilAsync("the long query", async () => await gateway.MetricAsync("spark_connect_open_calls") > 0);

        Processes.Kill(Assert.Single(gateway.Drivers()));

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("error [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("again 7", output, StringComparison.Ordinal);
    }
}
