using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public sealed class DriverCommandsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-command-").FullName;
    private readonly GatewayOptions options = new();
    private readonly Dictionary<string, string> environment = [];

    private string Work => Path.Combine(folder, "drivers", "one");

    private Dictionary<string, string> Conf => options.SparkConnect.OnDemand.SparkConf;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Prepare_Token_IsInTheEnvironmentOnly()
    {
        Conf["spark.connect.authenticate.token"] = "other";

        var command = Prepare("t0k3n");

        Assert.Equal("t0k3n", command.Environment["SPARK_CONNECT_AUTHENTICATE_TOKEN"]);
        Assert.DoesNotContain(command.Arguments, argument => argument.Contains("t0k3n", StringComparison.Ordinal));
        Assert.DoesNotContain(Settings(), line => line.Contains("t0k3n", StringComparison.Ordinal) || line.Contains("authenticate", StringComparison.Ordinal));
    }

    [Fact]
    public void Prepare_Environment_IsTheParentsWithoutItsSparkAndPython()
    {
        foreach (var name in (string[])["SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "PYTHONPATH", "PYTHONHOME", "SPARK_CONNECT_AUTHENTICATE_TOKEN", "SPARK_GATEWAY_STATE_DIR"]) environment[name] = "foreign";
        environment["PATH"] = "kept";
        environment["HADOOP_CONF_DIR"] = "kept";
        environment["SPARK_DIST_CLASSPATH"] = "kept";

        var command = Prepare(null);

        Assert.DoesNotContain("foreign", command.Environment.Values);
        Assert.Equal(3, command.Environment.Values.Count(value => value == "kept"));
        Assert.Equal("127.0.0.1", command.Environment["SPARK_LOCAL_IP"]);
        Assert.Equal("python9", command.Environment["PYSPARK_PYTHON"]);
    }

    [Fact]
    public void Prepare_SparkConf_ChangesDefaultsButNotTheAddress()
    {
        Conf["spark.ui.enabled"] = "true";
        Conf["spark.connect.grpc.binding.address"] = "0.0.0.0";
        Conf["spark.driver.extraJavaOptions"] = "-Dmine=1";
        Conf["spark.odd"] = "a=b:c\\d #e\nf";

        Prepare(null);

        var settings = Settings();
        Assert.Contains("spark.ui.enabled=true", settings);
        Assert.Contains("spark.connect.grpc.binding.address=127.0.0.1", settings);
        Assert.Contains("spark.connect.grpc.binding.port=20001", settings);
        Assert.Contains("spark.sql.catalogImplementation=in-memory", settings);
        Assert.Contains($"spark.driver.extraJavaOptions=\"-Djava.io.tmpdir\\={Work}/tmp\"\\ -Dmine\\=1", settings);
        Assert.Contains("spark.odd=a\\=b\\:c\\\\d\\ \\#e\\nf", settings);
        Assert.False(OwnerOnly.OthersMayRead(Path.Combine(Work, "spark.conf")));
    }

    [Theory]
    [InlineData("1", 1, "1", 1)]
    [InlineData("500m", 0, "2", 1)]
    [InlineData("1", 2, "1", 2)]
    [InlineData("1", 1000, "4", int.MaxValue)]
    [InlineData("?", 1, "", 1)]
    public void Prepare_Cores_AreTheLargerOfDriverAndExecutorsWithinTheMachine(string driver, int executors, string each, int expected)
    {
        (options.SparkConnect.OnDemand.DriverCores, options.SparkConnect.OnDemand.ExecutorInstances, options.SparkConnect.OnDemand.ExecutorCores) = (driver, executors, each);

        Prepare(null);

        Assert.Contains($"spark.master=local[{Math.Min(expected, Environment.ProcessorCount)}]", Settings());
    }

    [Theory]
    [InlineData("", "6Gi", "6G")]
    [InlineData("", "512m", "512m")]
    [InlineData("2g", "6Gi", "2g")]
    public void Prepare_Memory_IsTheLocalOneElseTheDrivers(string local, string driver, string expected)
    {
        (options.Local.DriverMemory, options.SparkConnect.OnDemand.DriverMemory) = (local, driver);

        Prepare(null);

        Assert.Contains($"spark.driver.memory={expected}", Settings());
    }

    [Fact]
    public void Prepare_LeftOverFolder_IsEmptiedAndTheOwnersAlone()
    {
        Directory.CreateDirectory(Path.Combine(Work, "warehouse", "old"));

        Prepare(null);

        Assert.False(Directory.Exists(Path.Combine(Work, "warehouse")));
        Assert.False(OwnerOnly.OthersMayRead(Work));
    }

    [Fact]
    public void Prepare_Sail_ListensOnLoopback()
    {
        var command = new DriverCommands(options, () => environment).Prepare(new Engine.Sail("sail"), new SessionName("ns", "one"), Work, 20001, null);

        Assert.Equal("sail spark server --ip 127.0.0.1 --port 20001", $"{command.Program} {string.Join(' ', command.Arguments)}");
    }

    private DriverCommand Prepare(string? token) =>
        new DriverCommands(options, () => environment).Prepare(new Engine.Spark("/opt/spark", "4.1.0", "python9", HasHive: false), new SessionName("ns", "one"), Work, 20001, token);

    private string[] Settings() => File.ReadAllLines(Path.Combine(Work, "spark.conf"));
}
