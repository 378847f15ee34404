using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.TestLibrary;

/// <summary>The test's own tools against real drivers, so that a failure behind the gateway is the gateway's.</summary>
public sealed class DirectDriverTests(SharedDrivers drivers)
{
    [Fact]
    public async Task RawClient_RealSpark_GetsTheDriversAnswers()
    {
        var driver = await drivers.SparkAsync();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);
        var session = $"{Guid.NewGuid()}";

        var version = await client.CallAsync(SparkRpc.AnalyzePlan, SparkRpc.Request(session, "ada", Proto.Bytes(10, [])));
        var unknown = await client.CallAsync(SparkRpc.Service + "NoSuchMethod", SparkRpc.Request(session, "ada"));

        Assert.Equal(session, SparkRpc.SessionOf(await version.MessageAsync()));
        Assert.Equal(0, await version.StatusAsync());
        Assert.Equal(12, await unknown.StatusAsync());
    }

    [Fact]
    public async Task RawClient_Sail_DecodesHuffmanHeaders()
    {
        var driver = await drivers.SailAsync();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);

        var call = await client.CallAsync(SparkRpc.AnalyzePlan, SparkRpc.Request($"{Guid.NewGuid()}", "ada", Proto.Bytes(10, [])));

        Assert.Equal(0, await call.StatusAsync());
        Assert.NotNull(call.Headers["date"]);
    }

    [Fact]
    public async Task PythonClient_RealSpark_Works()
    {
        var driver = await drivers.SparkAsync();

        var output = await PythonClient.RunAsync(
            """
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("sum", spark.range(10).selectExpr("sum(id)").collect()[0][0])
            spark.stop()
            """,
            GatewayProcess.UrlOf(driver.Port, "ada"));

        Assert.Contains("sum 45", output, StringComparison.Ordinal);
    }
}
