using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>A client that stops reading holds up nobody else, and costs the gateway no memory.</summary>
public sealed class PausedReaderTests(SharedDrivers drivers)
{
    private const string Name = "shared";

    /// <summary>About one and a half times what the paused stream could make the gateway hold, if it held it.</summary>
    private const long StreamBytes = 60_000_000;

    /// <summary>Far below the stream, above what a process's heap moves by itself.</summary>
    private const long MemoryLimit = 40_000_000;

    private const string FastQuery =
        """
        def fast(spark):
            for _ in range(5):
                assert len(spark.range(200_000).toPandas()) == 200_000

        """;

    [Fact]
    public async Task Python_PausedIterator_BesideFastQueriesOfTheSameSession()
    {
        using var marker = new Marker();
        await using var gateway = await StartAsync();
        await using var client = PythonClient.Start(
            $"PAUSED, GO = '{marker.Path("paused")}', '{marker.Path("go")}'\n{FastQuery}" +
            """
            import os, time
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            fast(spark)
            rows = spark.range(0, 300_000, 1, 4).selectExpr("id", "concat(repeat('p', 192), cast(id % 10 AS string)) p").toLocalIterator()
            first = next(rows)
            fast(spark)
            open(PAUSED, "w").close()
            while not os.path.exists(GO):
                time.sleep(0.05)
            total = first.id + sum(row.id for row in rows)
            print("total", total)
            spark.stop()
            """,
            Url(gateway, "ada"));
        await CheckAsync(marker, gateway, client);
    }

    [Fact]
    public async Task Jvm_PausedIterator_BesideFastQueriesOfTheSameSession()
    {
        using var marker = new Marker();
        await using var gateway = await StartAsync();
        await using var client = JavaClient.Start(
            $$"""
            SparkSession spark = SparkSession.builder().remote(url).getOrCreate();
            if (spark.range(200_000).collectAsList().size() != 200_000) throw new AssertionError();
            Iterator<Row> rows = spark.range(0, 300_000, 1, 4).selectExpr("id", "concat(repeat('p', 192), cast(id % 10 AS string)) p").toLocalIterator();
            long total = rows.next().getLong(0);
            for (int i = 0; i < 5; i++) if (spark.range(200_000).collectAsList().size() != 200_000) throw new AssertionError();
            java.nio.file.Files.createFile(java.nio.file.Path.of("{{marker.Path("paused")}}"));
            while (!java.nio.file.Files.exists(java.nio.file.Path.of("{{marker.Path("go")}}"))) Thread.sleep(50);
            while (rows.hasNext()) total += rows.next().getLong(0);
            System.out.println("total " + total);
            spark.close();
            """,
            Url(gateway, "ada"));
        await CheckAsync(marker, gateway, client);
    }

    [Fact]
    public async Task StoppedClient_BesideAnotherProcess_HoldsUpNobody()
    {
        using var marker = new Marker();
        await using var gateway = await StartAsync();
        await using var stopped = PythonClient.Start(
            $"READING = '{marker.Path("reading")}'\n" +
            """
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            rows = spark.range(0, 300_000, 1, 4).selectExpr("id", "repeat('p', 192) p").toLocalIterator()
            total = next(rows).id
            open(READING, "w").close()
            print("total", total + sum(row.id for row in rows))
            spark.stop()
            """,
            Url(gateway, "ada"));
        await marker.SeenAsync("reading", stopped);
        stopped.Signal("STOP");
        var before = gateway.Process.ResidentBytes;

        var other = await PythonClient.RunAsync(
            $"{FastQuery}" +
            """
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            fast(spark)
            print("fast")
            spark.stop()
            """,
            Url(gateway, "bob"));

        Assert.Contains("fast", other, StringComparison.Ordinal);
        Assert.InRange(gateway.Process.ResidentBytes - before, long.MinValue, MemoryLimit);
        stopped.Signal("CONT");
        Assert.Contains("total 44999850000", await PythonClient.GoodEndAsync(stopped), StringComparison.Ordinal);
    }

    /// <summary>Memory is measured from before the stream begins to its peak at any time until it was read to the end.</summary>
    private static async Task CheckAsync(Marker marker, GatewayProcess gateway, OwnedProcess client)
    {
        var before = gateway.Process.ResidentBytes;
        await marker.SeenAsync("paused", client);
        var paused = gateway.Process.ResidentBytes;
        marker.Set("go");

        Assert.Contains("total 44999850000", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage("gateway: {0:N0} B before, {1:N0} B while a reader of {2:N0} B pauses", before, paused, StreamBytes);
        Assert.InRange(paused - before, long.MinValue, MemoryLimit);
        Assert.InRange(gateway.Process.PeakResidentBytes - before, long.MinValue, MemoryLimit);
    }

    private static string Url(GatewayProcess gateway, string user) => gateway.Url(user, $"x-spark-session-id={Name}");

    private async Task<GatewayProcess> StartAsync() => await GatewayProcess.StartAsync(new GatewaySetup
    {
        Attached = [new Attached(Name, "e2e", (await drivers.SparkAsync()).Address)],
    });
}
