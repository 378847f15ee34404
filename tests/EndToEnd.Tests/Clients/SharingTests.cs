using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Who shares a driver with whom. A global temporary view is seen by all sessions of one driver, and by no others.</summary>
public sealed class SharingTests
{
    private const string TwoSessions =
        """
        from pyspark.sql import SparkSession
        from pyspark.errors import AnalysisException

        def sees(spark):
            try:
                return spark.sql("SELECT count(*) FROM global_temp.mine").collect()[0][0] == 3
            except AnalysisException:
                return False

        one = SparkSession.builder.remote(URL.replace("USER", FIRST)).create()
        one.range(3).createOrReplaceTempView("own")
        one.range(3).createGlobalTempView("mine")
        two = SparkSession.builder.remote(URL.replace("USER", SECOND)).create()
        print("global", sees(one), sees(two))
        print("own", one.catalog.tableExists("own"), two.catalog.tableExists("own"))
        one.stop()
        two.stop()
        """;

    [Fact]
    public async Task TwoUsers_OnOneConnection_GetADriverEach()
    {
        await using var gateway = await StartAsync();

        var output = await RunAsync(gateway, "ada", "bob");

        Assert.Contains("global True False", output, StringComparison.Ordinal);
        Assert.Contains("own True False", output, StringComparison.Ordinal);
        Assert.Equal(2, gateway.Drivers().Count);
    }

    [Fact]
    public async Task TwoSessions_OfOneProcess_ShareADriverByLocalYml()
    {
        await using var gateway = await StartAsync();

        var output = await RunAsync(gateway, "ada", "ada");

        Assert.Contains("global True True", output, StringComparison.Ordinal);
        Assert.Contains("own True False", output, StringComparison.Ordinal);
        Assert.Single(gateway.Drivers());
    }

    [Fact]
    public async Task TwoSessions_WithoutShareConnection_GetADriverEach()
    {
        await using var gateway = await StartAsync("spark_connect.on_demand.share_connection=false");

        var output = await RunAsync(gateway, "ada", "ada");

        Assert.Contains("global True False", output, StringComparison.Ordinal);
        Assert.Equal(2, gateway.Drivers().Count);
    }

    private static Task<GatewayProcess> StartAsync(params string[] settings) =>
        GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true, Settings = settings });

    private static Task<string> RunAsync(GatewayProcess gateway, string first, string second) =>
        PythonClient.RunAsync($"FIRST, SECOND = '{first}', '{second}'\n{TwoSessions}", gateway.Url("USER"));
}
