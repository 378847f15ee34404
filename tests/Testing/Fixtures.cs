using System.Diagnostics;
using Xunit;

namespace SparkGateway.Testing;

/// <summary>The stock clients and the checks that come with the Spark fixture, beside <see cref="SparkFixture"/>'s servers.</summary>
public static class Fixtures
{
    private static readonly TimeSpan CompileLimit = TimeSpan.FromMinutes(2);
    private static readonly Lazy<string> Classes = new(Compile);
    private static readonly Lazy<string> HelmFolder = new(() => SparkFixture.Install("helm"));

    /// <summary>The folder with spark-4.2.0, jvm-client and start-driver.sh.</summary>
    public static string SparkFolder => Path.GetDirectoryName(SparkFixture.SparkHome)!;

    public static string StartDriver => Path.Combine(SparkFolder, "start-driver.sh");

    public static string SmokeScript => Path.Combine(SparkFixture.Source("spark"), "smoke.py");

    public static string SmokeSource => Path.Combine(SparkFixture.Source("spark"), "Smoke.java");

    public static string JvmJars => Path.Combine(SparkFolder, "jvm-client", "jars", "*");

    /// <summary>The real helm.</summary>
    public static string Helm => Path.Combine(HelmFolder.Value, "helm");

    /// <summary>Arguments of java for a program with the stock JVM client and the compiled Smoke on its class path.</summary>
    public static IReadOnlyList<string> JavaArguments(params IEnumerable<string> moreClasses) =>
        [$"@{Path.Combine(SparkFolder, "jvm-client", "java.args")}", "-cp", string.Join(':', [JvmJars, .. moreClasses])];

    /// <summary>The folder of Smoke's classes.</summary>
    public static string SmokeClasses => Classes.Value;

    /// <summary>Compiles one source file against the stock JVM client.</summary>
    public static void CompileJava(string source, string folder)
    {
        using var javac = Process.Start(new ProcessStartInfo("javac", ["-cp", JvmJars, "-d", folder, source]) { RedirectStandardError = true })!;
        var errors = javac.StandardError.ReadToEndAsync();
        if (!javac.WaitForExit(CompileLimit))
        {
            javac.Kill();
            Assert.Fail($"javac took more than {CompileLimit}.");
        }

        Assert.True(javac.ExitCode == 0, $"javac of {Path.GetFileName(source)} ended with exit code {javac.ExitCode}.");
        _ = errors;
    }

    private static string Compile()
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-smoke-").FullName;
        CompileJava(SmokeSource, folder);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
