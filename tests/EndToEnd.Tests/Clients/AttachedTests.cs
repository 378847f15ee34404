using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Drivers that somebody else runs, named by the client; and Sail in both roles.</summary>
public sealed class AttachedTests(SharedDrivers drivers)
{
    private const string Name = "my-spark-app";
    private const string Space = "sjns-data-control";

    private const string ByUrl =
        """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("rows", spark.range(12).count(), "on", spark.conf.get("spark.app.name"))
        spark.stop()
        """;

    private const string ByConfig =
        """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder \
            .remote(URL) \
            .config("spark.connect.grpc.header.x-spark-session-id", "my-spark-app") \
            .config("spark.connect.grpc.header.x-spark-namespace", "sjns-data-control") \
            .getOrCreate()
        print("rows", spark.range(12).count(), "on", spark.conf.get("spark.app.name"))
        spark.stop()
        """;

    private const string ByConfigInJava =
        """
        SparkSession spark = SparkSession.builder()
            .remote(url)
            .config("spark.connect.grpc.header.x-spark-session-id", "my-spark-app")
            .config("spark.connect.grpc.header.x-spark-namespace", "sjns-data-control")
            .getOrCreate();
        System.out.println("rows " + spark.range(12).count() + " on " + spark.conf().get("spark.app.name"));
        spark.close();
        """;

    private const string OnSail =
        """
        import pandas as pd
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        frame = pd.DataFrame({"id": range(200_000), "text": ["row-%07d" % i for i in range(200_000)]})
        row = spark.createDataFrame(frame).selectExpr("count(*) n", "sum(id) s", "max(text) m").collect()[0]
        print("sail", row.n, row.s, row.m, len(spark.range(1_000_000).toPandas()))
        spark.stop()
        """;

    private const string SailResult = "sail 200000 19999900000 row-0199999 1000000";

    [Fact]
    public async Task Python_NamesTheSessionInItsUrl_IsThere()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await StartAsync(driver.Address);

        var output = await PythonClient.RunAsync(ByUrl, gateway.Url("ada", $"x-spark-session-id={Name}", $"x-spark-namespace={Space}"));

        Assert.Contains($"rows 12 on connect-127.0.0.1-{driver.Port}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Python_NamesTheSessionByConfig_IsThere()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await StartAsync(driver.Address);

        var output = await PythonClient.RunAsync(ByConfig, gateway.Url("ada"));

        Assert.Contains($"rows 12 on connect-127.0.0.1-{driver.Port}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jvm_NamesTheSessionByConfig_IsThere()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await StartAsync(driver.Address);

        await using var client = JavaClient.Start(ByConfigInJava, gateway.Url("ada"));

        Assert.Contains($"rows 12 on connect-127.0.0.1-{driver.Port}", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Python_NamesASessionThatIsNotThere_IsToldAtOnce()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await StartAsync(driver.Address);
        await using var client = PythonClient.Start(ByUrl, gateway.Url("ada", "x-spark-session-id=no-such-app"));

        Assert.NotEqual(0, await client.ExitAsync(TimeSpan.FromSeconds(60)));

        Assert.Contains("no-such-app", client.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("_MultiThreadedRendezvous", client.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_ThatNamesADriverLater_IsReadWithoutARestart()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup());
        gateway.WriteAttached([new Attached(Name, Space, driver.Address)]);
        await using var probe = await RawH2Client.ConnectAsync(gateway.Port);
        await Deadlines.UntilAsync("the new driver", async () =>
        {
            var call = await probe.CallAsync(SparkRpc.AnalyzePlan, SparkRpc.Request($"{Guid.NewGuid()}", "probe", Proto.Bytes(10, [])), ("x-spark-session-id", Name));
            return await call.StatusAsync() == 0;
        });

        var output = await PythonClient.RunAsync(ByUrl, gateway.Url("ada", $"x-spark-session-id={Name}"));

        Assert.Contains("rows 12", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Driver_ThatDemandsAToken_GetsTheConfiguredOneAndNotTheClients()
    {
        using var marker = new Marker();
        await File.WriteAllTextAsync(marker.Path("token"), "s3cret-of-the-driver\n");
        await using var driver = await DirectDriver.StartSparkAsync("--conf", "spark.connect.authenticate.token=s3cret-of-the-driver");
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { Attached = [new Attached(Name, Space, driver.Address, marker.Path("token"))] });
        await using var straight = PythonClient.Start(ByUrl, GatewayProcess.UrlOf(driver.Port, "ada"));

        var output = await PythonClient.RunAsync(ByUrl, gateway.Url("ada", $"x-spark-session-id={Name}", "authorization=Bearer%20of-the-client"));

        Assert.Contains("rows 12", output, StringComparison.Ordinal);
        Assert.NotEqual(0, await straight.ExitAsync(PythonClient.Limit));
        Assert.Contains("UNAUTHENTICATED", straight.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3cret", gateway.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sail_Attached_ServesUploadsAndDownloads()
    {
        await using var gateway = await StartAsync((await drivers.SailAsync()).Address);

        var output = await PythonClient.RunAsync(OnSail, gateway.Url("ada", $"x-spark-session-id={Name}"));

        Assert.Contains(SailResult, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sail_AsEngineOnDemand_ServesUploadsAndDownloads()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true, Engine = "sail" });

        var output = await PythonClient.RunAsync(OnSail, gateway.Url("ada"));

        Assert.Contains(SailResult, output, StringComparison.Ordinal);
        Assert.Single(gateway.Drivers());
    }

    private static Task<GatewayProcess> StartAsync(string address) =>
        GatewayProcess.StartAsync(new GatewaySetup { Attached = [new Attached(Name, Space, address)] });
}
