using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>The session image's main program under a real spark-submit, as the operator's driver pod runs it. The image itself is built where there is an engine.</summary>
public sealed class SessionImageTests
{
    private const string Query = """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print('rows', spark.range(7).count())
        print('plugins', spark.conf.get('spark.plugins'))
        """;

    private static readonly string Folder = Path.Combine(Sources.Root, "deploy", "session-image");
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Main_UnderSparkSubmit_ServesAClientUntilSigterm()
    {
        await using var driver = await MainProgram.StartAsync("spark.plugins=org.apache.spark.deploy.DriverTimeoutPlugin", "spark.driver.timeout=60min");

        var said = await PythonClient.RunAsync(Query, GatewayProcess.UrlOf(driver.Port, "ana"));

        Assert.Contains("rows 7", said, StringComparison.Ordinal);
        Assert.Contains("plugins org.apache.spark.sql.connect.SparkConnectPlugin,org.apache.spark.deploy.DriverTimeoutPlugin", said, StringComparison.Ordinal);
        driver.Process.Signal("TERM");
        Assert.Equal(143, await driver.Process.ExitAsync());
        await driver.GoneAsync();
    }

    [Fact]
    public async Task Main_ToldToEndItself_EndsTheDriverWell()
    {
        await using var driver = await MainProgram.StartAsync();

        // Beside the JVM, it is the one process of the driver that has the program on its command line.
        var python = Assert.Single(Processes.Naming(driver.Folder, but: driver.Process.Pid), pid => Processes.Name(pid).StartsWith("python", StringComparison.Ordinal));
        using (var kill = System.Diagnostics.Process.Start("kill", ["-TERM", $"{python}"])) await kill.WaitForExitAsync();

        Assert.Equal(0, await driver.Process.ExitAsync());
    }

    [Fact]
    public async Task Main_WhoseDriverIsKilled_DoesNotStay()
    {
        await using var driver = await MainProgram.StartAsync();

        driver.Process.Signal("KILL");

        await driver.Process.ExitAsync();
        await driver.GoneAsync();
    }

    [Fact]
    public void Containerfile_OfTheImage_StartsFromAStockSparkAndEndsAsAUser()
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, "Containerfile"));

        Assert.Equal("FROM apache/spark:${SPARK_VERSION}-python3", Assert.Single(lines, line => line.StartsWith("FROM ", StringComparison.Ordinal)));
        Assert.Equal("USER 185", lines.Last(line => line.StartsWith("USER ", StringComparison.Ordinal)));
        // Where profiles of the default flavour look for it.
        Assert.Contains(lines, line => line.EndsWith("connect_main.py /opt/spark-gateway/connect_main.py", StringComparison.Ordinal));
    }

    private sealed class MainProgram(OwnedProcess process, string folder, int port) : IAsyncDisposable
    {
        public OwnedProcess Process => process;

        public string Folder => folder;

        public int Port => port;

        public static async Task<MainProgram> StartAsync(params string[] settings)
        {
            var folder = Directory.CreateTempSubdirectory("spark-gateway-main-").FullName;
            var port = Ports.Free();
            string[] conf =
            [
                $"spark.connect.grpc.binding.port={port}", "spark.connect.grpc.binding.address=127.0.0.1", "spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1",
                "spark.ui.enabled=false", "spark.sql.catalogImplementation=in-memory", .. settings,
            ];
            var process = OwnedProcess.Start(
                "spark-submit",
                Path.Combine(SparkFixture.SparkHome, "bin", "spark-submit"),
                ["--master", "local[2]", .. conf.SelectMany(setting => new[] { "--conf", setting }), Path.Combine(SessionImageTests.Folder, "connect_main.py")],
                [("SPARK_HOME", SparkFixture.SparkHome), ("PYSPARK_PYTHON", SparkFixture.Python), ("SPARK_LOCAL_DIRS", folder), ("SPARK_REMOTE", null), ("SPARK_CONNECT_AUTHENTICATE_TOKEN", null), ("PYTHONDONTWRITEBYTECODE", "1")],
                folder);
            var driver = new MainProgram(process, folder, port);
            await process.LineAsync("its open port", line => line.EndsWith($"serves Spark Connect on port {port}", StringComparison.Ordinal), StartLimit);
            return driver;
        }

        /// <summary>None of its processes is left.</summary>
        public Task GoneAsync() => Deadlines.UntilAsync("the end of the driver's processes", () => Processes.Naming(folder, but: process.Pid).Count == 0);

        public async ValueTask DisposeAsync()
        {
            await process.DisposeAsync();
            await GoneAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
