using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>A gateway that clients must show a token: raw ones and the stock one.</summary>
public sealed class TokenTests(SharedDrivers drivers) : IDisposable
{
    private const int Unauthenticated = 16;
    private const string Old = "0123456789abcdef-old";
    private const string New = "0123456789abcdef-new";

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-tokens-").FullName;

    private string TokenFile => Path.Combine(folder, "tokens");

    private GatewaySetup Setup => new() { Settings = [$"spark_connect.token_file={TokenFile}"] };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Token_ThatIsRotated_CountsWithoutARestart()
    {
        Write($"ana: {Old}");
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);
        await using var client = await gateway.ConnectAsync();
        Assert.Equal(0, await CallAsync(client, Old));
        Assert.Equal(Unauthenticated, await CallAsync(client, New));
        Assert.Equal(Unauthenticated, await CallAsync(client, null));

        Write($"ana: {Old}\nana: {New}");
        await Deadlines.UntilAsync("the new token in force", async () => await CallAsync(client, New) == 0);
        Assert.Equal(0, await CallAsync(client, Old));

        Write($"ana: {New}");
        await Deadlines.UntilAsync("the old token out of force", async () => await CallAsync(client, Old) == Unauthenticated);

        Write("ana");
        await gateway.Process.Process.LineAsync("word of the broken file", line => line.Contains("the tokens before stay in force", StringComparison.Ordinal), Deadlines.Wait);
        Assert.Equal(0, await CallAsync(client, New));
        Assert.True(await gateway.Process.MetricAsync("spark_connect_proxy_errors_total", "Unauthenticated") >= 3);
        Assert.DoesNotContain("0123456789abcdef", gateway.Process.Process.Output, StringComparison.Ordinal);
        Assert.All(driver.Calls, call => Assert.Null(call.Headers["authorization"]));
    }

    [Fact]
    public async Task PySpark_WithAToken_RunsAQuery()
    {
        Write($"ana: {New}");
        var driver = await drivers.SparkAsync();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);

        var output = await PythonClient.RunAsync(
            """
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("sum", spark.range(100000).selectExpr("sum(id) AS s").first().s)
            spark.stop()
            """,
            gateway.Process.Url("ada", $"token={New}", $"x-spark-session-id={RawGateway.Name(0)}"));

        Assert.Contains("sum 4999950000", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jvm_WithAToken_RunsAQuery()
    {
        Write($"ana: {New}");
        var driver = await drivers.SparkAsync();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);

        await using var client = JavaClient.Start(
            """
            SparkSession spark = SparkSession.builder().remote(url).getOrCreate();
            System.out.println("sum " + spark.range(100000).selectExpr("sum(id) AS s").first().getLong(0));
            spark.stop();
            """,
            gateway.Process.Url("ada", $"token={New}", $"x-spark-session-id={RawGateway.Name(0)}"));

        Assert.Contains("sum 4999950000", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token=0123456789abcdef-bad", "is none that this gateway knows")]
    [InlineData("", "takes calls with a token only")]
    public async Task PySpark_WithoutAGoodToken_ShowsWhatToDo(string parameter, string says)
    {
        Write($"ana: {New}");
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);

        var output = await PythonClient.RunAsync(
            """
            from pyspark.sql import SparkSession
            try:
                SparkSession.builder.remote(URL).getOrCreate().range(1).collect()
            except Exception as e:
                print("refused:", e)
            """,
            gateway.Process.Url("ada", [$"x-spark-session-id={RawGateway.Name(0)}", .. parameter.Length > 0 ? [parameter] : Array.Empty<string>()]));

        Assert.Contains(says, output, StringComparison.Ordinal);
        Assert.Contains("token=TOKEN", output, StringComparison.Ordinal);
        Assert.Empty(driver.Calls);
    }

    private static async Task<int> CallAsync(RawH2Client client, string? token)
    {
        HeaderField[] shown = token is null ? [] : [("authorization", $"Bearer {token}")];
        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0, shown));
        return await call.StatusAsync();
    }

    /// <summary>As a careful operator does: written aside for nobody else, then moved into its place.</summary>
    private void Write(string content)
    {
        var aside = TokenFile + ".next";
        File.WriteAllText(aside, content + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(aside, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(aside, TokenFile, overwrite: true);
    }
}
