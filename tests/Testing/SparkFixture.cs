using System.Diagnostics;
using Xunit;

namespace SparkGateway.Testing;

/// <summary>
/// A real Spark and a Python with Sail and the stock client, unpacked once into a cache below the temporary folder. The
/// installers hold a lock, so that test projects that run together share one copy. Without them a test is skipped.
/// </summary>
public static class SparkFixture
{
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(5);
    private static readonly Lazy<string> Home = new(() => Install("spark", "--no-cds"));
    private static readonly Lazy<string> Interpreter = new(() => Install("python"));

    /// <summary>A SPARK_HOME, with stock scripts and settings.</summary>
    public static string SparkHome => Home.Value;

    /// <summary>A Python with pyspark-client, pandas and pyarrow, fit for UDFs too.</summary>
    public static string Python => Interpreter.Value;

    public static string Sail => Path.Combine(Path.GetDirectoryName(Python)!, "sail");

    /// <summary>The folder that the checks of the fixtures are in.</summary>
    public static string Source(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SparkGateway.sln"))) folder = folder.Parent;
        var source = Path.Combine(folder?.Parent?.FullName ?? "", "shared", "fixtures", name);
        Assert.SkipUnless(File.Exists(Path.Combine(source, "install.sh")), $"No ../shared/fixtures/{name} beside the repository: real engines cannot be tested.");
        return source;
    }

    internal static string Install(string name, params string[] options)
    {
        var cache = Path.Combine(Path.GetTempPath(), "spark-gateway-fixtures", name);
        using var installer = Process.Start(new ProcessStartInfo(Path.Combine(Source(name), "install.sh"), [cache, .. options]) { RedirectStandardOutput = true })!;
        var lines = new List<string>();
        installer.OutputDataReceived += (_, line) => lines.AddRange(line.Data is { Length: > 0 } text ? [text] : []);
        installer.BeginOutputReadLine();
        if (!installer.WaitForExit(InstallLimit))
        {
            installer.Kill(entireProcessTree: true);
            Assert.Fail($"fixtures/{name}/install.sh took more than {InstallLimit}.");
        }

        installer.WaitForExit();
        Assert.True(installer.ExitCode == 0 && lines.Count > 0, $"fixtures/{name}/install.sh ended with exit code {installer.ExitCode}.");
        return lines[^1];
    }
}
