using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Two replicas with one PostgreSQL behind a balancer, restarted one after the other under fifty clients in mid-query.</summary>
public sealed class FaultRestartTests
{
    private const int Clients = 50;

    /// <summary>Threads with a channel of their own each, as fifty processes have; every query takes a second and more, and its rows are checked.</summary>
    private const string Program =
        """
        import os, threading, time
        from pyspark.sql.connect.session import SparkSession
        from pyspark.sql.connect.client import DefaultChannelBuilder

        done, wrong, errors, lock = [0] * CLIENTS, [], [], threading.Lock()

        def work(number):
            try:
                builder = DefaultChannelBuilder(URL, [("grpc.use_local_subchannel_pool", 1)])
                spark = SparkSession.builder.channelBuilder(builder).create()
                spark.range(number).createOrReplaceTempView("mine")
                while not os.path.exists(STOP):
                    rows = spark.range(0, 400, 1, 4).selectExpr("id", "if(id % 100 = 0, reflect('java.lang.Thread', 'sleep', 1200L), '') s").toLocalIterator()
                    if sum(row.id for row in rows) != 79_800:
                        wrong.append(number)
                    done[number] += 1
                if spark.table("mine").count() != number:
                    wrong.append(number)
                spark.stop()
            except Exception as error:
                with lock:
                    errors.append(number)
                    print("error", number, " ".join(str(error).split())[:500], flush=True)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while not all(done) and not errors:
            time.sleep(0.05)
        print("running", flush=True)
        for thread in threads:
            thread.join()
        print("clients", CLIENTS, "least", min(done) > 1, "wrong", wrong, "errors", errors)
        """;

    [Fact]
    public async Task RollingRestart_OfTwoReplicasUnderFiftyClients_LosesNoQuery()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        using var marker = new Marker();
        await File.WriteAllTextAsync(marker.Path("store"), database.ConnectionString);
        await File.WriteAllTextAsync(marker.Path("key"), Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)));
        string[] store = ["store.kind=postgres", $"store.connection_string_file={marker.Path("store")}"];
        await using (var migration = OwnedProcess.Start("the migration", Path.Combine(AppContext.BaseDirectory, "spark-gateway"), ["migrate", .. store.SelectMany(set => new[] { "--set", set })], []))
            Assert.True(await migration.ExitAsync() == 0, migration.Output);

        await using var driver = await DirectDriver.StartSparkAsync("--memory", "1g", "--conf", "spark.master=local[50]");
        var setup = new GatewaySetup
        {
            Attached = [new Attached("shared", "e2e", driver.Address)],
            Settings = [.. store, $"driver_token_key_file={marker.Path("key")}", "spark_connect.drain_seconds=1"],
        };
        await using var first = await GatewayProcess.StartAsync(setup);
        await using var second = await GatewayProcess.StartAsync(setup);
        await using var balancer = TcpBalancer.Start(first.Port, second.Port);
        await using var client = PythonClient.Start($"STOP, CLIENTS = '{marker.Path("stop")}', {Clients}\n{Program}", GatewayProcess.UrlOf(balancer.Port, "ada", "x-spark-session-id=shared"));
        await client.LineAsync("queries of all clients", line => line == "running" || line.StartsWith("error", StringComparison.Ordinal), PythonClient.Limit);

        foreach (var (leaving, staying) in new[] { (first, second), (second, first) })
        {
            await BusyAsync(leaving, Clients / 4);
            Assert.Equal(0, await leaving.TerminateAsync());
            await BusyAsync(staying, Clients / 2);
            Assert.NotEqual(0, await staying.MetricAsync("spark_connect_proxy_requests_total", "rpc=\"ReattachExecute\"", "code=\"0\""));
            await leaving.StartAgainAsync();
        }

        marker.Set("stop");
        Assert.Contains($"clients {Clients} least True wrong [] errors []", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
    }

    private static Task BusyAsync(GatewayProcess replica, int calls) => Deadlines.UntilAsync(
        $"{calls} open calls", async () => await replica.MetricAsync("spark_connect_open_calls") >= calls, PythonClient.Limit);
}
