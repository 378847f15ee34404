using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>The largest transfers that a stock client and a real Spark manage, over a driver with room for them.</summary>
public sealed class SizeTests : IAsyncLifetime
{
    private const string Name = "large";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private DirectDriver driver = null!;

    public async ValueTask InitializeAsync() => driver = await DirectDriver.StartSparkAsync("--memory", "5g");

    public ValueTask DisposeAsync() => driver.DisposeAsync();

    [Fact]
    public async Task Upload_113MiB_ArrivesWhole()
    {
        await using var gateway = await StartAsync(driver.Address);

        var output = await PythonClient.RunAsync(
            """
            import os, zlib
            import pandas as pd
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            values = [os.urandom(512).hex() for _ in range(113 * 1024)]
            row = spark.createDataFrame(pd.DataFrame({"v": values})).selectExpr("count(*) n", "sum(crc32(v)) c").collect()[0]
            print("whole", row.n == len(values) and row.c == sum(zlib.crc32(value.encode()) for value in values))
            spark.stop()
            """,
            Url(gateway),
            Limit);

        Assert.Contains("whole True", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_OneRowOf100MB_ArrivesWhole()
    {
        await using var gateway = await StartAsync(driver.Address);

        Assert.Contains("whole True", await PythonClient.RunAsync(LargeRow, Url(gateway), Limit), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.Rst)]
    public async Task Download_OneRowOf100MB_ConnectionCutInside_ArrivesWhole(Cut cut)
    {
        await using var cutter = TcpCutter.Start(driver.Port);
        await using var gateway = await StartAsync(cutter.Address);
        var frames = 0;
        var plan = cutter.CutIn(Way.Down, cut, frame => frame is { Type: FrameType.Data, Length: > 10_000 } && ++frames == 500, bytesIn: 9_000);

        var output = await PythonClient.RunAsync(LargeRow, Url(gateway), Limit);

        await plan.DoneAsync();
        Assert.Contains("whole True", output, StringComparison.Ordinal);
    }

    private const string LargeRow =
        """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        text = spark.range(1).selectExpr("repeat('0123456789', 10000000) AS t").collect()[0].t
        print("whole", len(text) == 100_000_000 and text == "0123456789" * 10_000_000)
        spark.stop()
        """;

    private static string Url(GatewayProcess gateway) => gateway.Url("ada", $"x-spark-session-id={Name}");

    private static Task<GatewayProcess> StartAsync(string address) =>
        GatewayProcess.StartAsync(new GatewaySetup { Attached = [new Attached(Name, "e2e", address)] });
}
