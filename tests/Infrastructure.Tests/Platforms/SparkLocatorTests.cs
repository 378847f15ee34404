using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public sealed class SparkLocatorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-find-").FullName;
    private readonly Dictionary<string, string> environment = [];
    private readonly LocalOptions options = new();

    public SparkLocatorTests()
    {
        Directory.CreateDirectory(At("path"));
        LocalHarness.WriteProgram(At("path/java"), "");
        environment["PATH"] = At("path");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Find_Everything_TakesTheFirstOfTheOrder()
    {
        options.SparkHome = Spark("configured");
        environment["SPARK_HOME"] = Spark("named");
        PythonWith(At("path/python3"), Spark("system"));
        PythonWith(At(".venv/bin/python"), Spark("venv"));

        Assert.Equal(At("configured"), Found().Home);
        options.SparkHome = "";
        Assert.Equal(At("named"), Found().Home);
        environment.Remove("SPARK_HOME");
        Assert.Equal((At("system"), "python3"), (Found().Home, Found().Python));
        File.Delete(At("path/python3"));
        Assert.Equal((At("venv"), At(".venv/bin/python")), (Found().Home, Found().Python));
        environment["PYSPARK_PYTHON"] = "python3.12";
        Assert.Equal("python3.12", Found().Python);
    }

    [Fact]
    public void Find_RelativeSparkHome_IsOfTheWorkingFolder()
    {
        Spark("here");
        options.SparkHome = "here";

        Assert.Equal(At("here"), Found().Home);
    }

    [Fact]
    public void Find_PysparkWithoutConnectServer_DoesNotCount()
    {
        PythonWith(At("path/python3"), At("client-only"));
        Directory.CreateDirectory(At("client-only"));
        PythonWith(At(".venv/bin/python"), Spark("venv"));

        Assert.Equal(At("venv"), Found().Home);
    }

    [Theory]
    [InlineData("3.5.6", false)]
    [InlineData("4.0.0", true)]
    [InlineData("4.1.0-SNAPSHOT", true)]
    [InlineData("10.0.0", true)]
    public void Find_Version_CountsFrom4(string version, bool counts)
    {
        environment["SPARK_HOME"] = Spark("home", version);

        var found = Locator().Find();

        Assert.Equal(counts, found.IsOk);
        if (counts) Assert.Equal(version, Assert.IsType<Engine.Spark>(found.Value).Version);
    }

    [Fact]
    public void Find_HiveJar_IsNoticed()
    {
        environment["SPARK_HOME"] = Spark("home");
        Assert.False(Found().HasHive);

        File.WriteAllText(At("home/jars/spark-hive_2.13-4.1.0.jar"), "");

        Assert.True(Found().HasHive);
    }

    [Fact]
    public void Find_Nothing_NamesTheChoicesInOneSentence()
    {
        LocalHarness.WriteProgram(At("path/python3"), "echo no module >&2; exit 1");

        var error = Locator().Find().Error;

        Assert.Equal(ErrorCode.StartFailed, error?.Code);
        foreach (var choice in (string[])["local.spark_home", "SPARK_HOME", "pyspark", ".venv", "sail", "spark_connect.attached"]) Assert.Contains(choice, error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error!.Text);
    }

    [Fact]
    public void Find_WrongConfiguredHome_IsNeverReplacedByAnother()
    {
        options.SparkHome = "nowhere";
        environment["SPARK_HOME"] = Spark("named");

        Assert.Contains("\"nowhere\"", Locator().Find().Error?.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_NoJava_SaysSo()
    {
        environment["SPARK_HOME"] = Spark("home");
        File.Delete(At("path/java"));
        Assert.Contains("no Java", Locator().Find().Error?.Text, StringComparison.Ordinal);

        LocalHarness.FakeSpark(At("jdk"), "");
        LocalHarness.WriteProgram(At("jdk/bin/java"), "");
        environment["JAVA_HOME"] = At("jdk");
        Assert.True(Locator().Find().IsOk);
    }

    [Fact]
    public void Find_Sail_IsByPathOrOnPath()
    {
        options.Engine = "sail";
        Assert.Contains("local.sail", Locator().Find().Error?.Text, StringComparison.Ordinal);

        LocalHarness.WriteProgram(At("path/sail"), "");
        Assert.Equal(new Engine.Sail(At("path/sail")), Locator().Find().Value);
        options.Sail = "path/sail";
        Assert.Equal(new Engine.Sail(At("path/sail")), Locator().Find().Value);
    }

    private string At(string name) => Path.Combine(folder, name);

    private string Spark(string name, string version = "4.1.0") => LocalHarness.FakeSpark(At(name), "", version);

    private static void PythonWith(string program, string pyspark)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        LocalHarness.WriteProgram(program, $"[ \"$1\" = -c ] && echo '{pyspark}'");
    }

    private SparkLocator Locator() => new(options, environment.GetValueOrDefault, folder);

    private Engine.Spark Found()
    {
        var found = Locator().Find();
        Assert.True(found.IsOk, found.Error?.Text);
        return Assert.IsType<Engine.Spark>(found.Value);
    }
}
