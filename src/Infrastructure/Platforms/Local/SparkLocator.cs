using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Finds the engine of local drivers; `serve` asks it at start, so that a missing Spark is told before the first client comes.</summary>
public sealed partial class SparkLocator(LocalOptions options, Func<string, string?> environment, string workingFolder)
{
    private const string VenvPython = ".venv/bin/python";

    // find_spec does not import the package: 50 ms rather than a second.
    private const string PysparkFolder =
        "import importlib.util as u; s = u.find_spec('pyspark'); print(s.submodule_search_locations[0] if s and s.submodule_search_locations else '')";

    private static readonly TimeSpan PythonLimit = TimeSpan.FromSeconds(20);

    public SparkLocator(GatewayOptions options)
        : this(options.Local, Environment.GetEnvironmentVariable, Environment.CurrentDirectory)
    {
    }

    public Result<Engine> Find() => options.Engine == "sail" ? FindSail() : FindSpark();

    private Result<Engine> FindSail() => OnPath(options.Sail) is { } program
        ? new Engine.Sail(program)
        : Missing($"Sail was not found: local.sail is \"{options.Sail}\", which is no program; install pysail and set local.sail to its sail program, or set local.engine to spark.");

    private Result<Engine> FindSpark()
    {
        if (options.SparkHome.Length > 0 && Inspect(Path.GetFullPath(options.SparkHome, workingFolder), null) is null)
        {
            return Missing($"local.spark_home is \"{options.SparkHome}\", which holds no Spark 4.0 or later with Spark Connect (bin/spark-submit and jars/spark-connect_*.jar): correct it, or leave it empty to use SPARK_HOME or an installed pyspark.");
        }

        if (Candidates().FirstOrDefault() is not { } found)
        {
            return Missing("No Spark 4.0 or later with Spark Connect was found: set local.spark_home or SPARK_HOME to one, or install pyspark for python3 or into .venv, or set local.engine to sail, or list drivers that run already under spark_connect.attached.");
        }

        return HasJava()
            ? found
            : Missing($"Spark {found.Version} was found but no Java: install Java 17 or later, and set JAVA_HOME or put java on PATH.");
    }

    private IEnumerable<Engine.Spark> Candidates()
    {
        var venv = Path.Combine(workingFolder, VenvPython);
        if (options.SparkHome.Length > 0 && Inspect(Path.GetFullPath(options.SparkHome, workingFolder), null) is { } configured) yield return configured;
        if (environment("SPARK_HOME") is { Length: > 0 } home && Inspect(Path.GetFullPath(home, workingFolder), null) is { } named) yield return named;
        if (OnPath("python3") is { } python && PysparkOf(python) is { } installed && Inspect(installed, null) is { } system) yield return system;
        if (File.Exists(venv) && PysparkOf(venv) is { } own && Inspect(own, venv) is { } local) yield return local;
    }

    /// <summary>A folder counts with spark-submit and the Connect server's jar in it. Before 4.0 the server listens on all addresses and knows no token.</summary>
    private Engine.Spark? Inspect(string home, string? python)
    {
        var jars = Path.Combine(home, "jars");
        if (!File.Exists(Path.Combine(home, "bin", "spark-submit")) || !Directory.Exists(jars)) return null;
        var version = Directory.EnumerateFiles(jars, "spark-connect_*.jar")
            .Select(jar => ConnectJar().Match(Path.GetFileName(jar)))
            .FirstOrDefault(match => match.Success && int.Parse(match.Groups["major"].ValueSpan) >= 4)?.Groups["version"].Value;
        return version is null
            ? null
            : new Engine.Spark(home, version, NonEmpty(environment("PYSPARK_PYTHON")) ?? python ?? "python3", Directory.EnumerateFiles(jars, "spark-hive_*.jar").Any());
    }

    private bool HasJava() => NonEmpty(environment("JAVA_HOME")) is { } home
        ? File.Exists(Path.Combine(home, "bin", "java"))
        : OnPath("java") is not null;

    private string? OnPath(string program)
    {
        if (program.Contains('/')) return File.Exists(Path.GetFullPath(program, workingFolder)) ? Path.GetFullPath(program, workingFolder) : null;
        return (environment("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
    }

    private string? PysparkOf(string python)
    {
        var start = new ProcessStartInfo(python, ["-c", PysparkFolder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder,
        };
        try
        {
            using var process = Process.Start(start)!;
            string? folder = null;
            process.OutputDataReceived += (_, line) => folder = NonEmpty(line.Data) ?? folder;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (!process.WaitForExit(PythonLimit))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }

            // Only the wait without a limit waits for the output too.
            process.WaitForExit();
            return process.ExitCode == 0 ? folder : null;
        }
        catch (Win32Exception)
        {
            // A python3 that cannot be executed is none.
            return null;
        }
    }

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static GatewayError Missing(string text) => new(ErrorCode.StartFailed, Blame.Gateway, text);

    [GeneratedRegex(@"^spark-connect_[0-9.]+-(?<version>(?<major>[0-9]{1,4})\..+)\.jar\z", RegexOptions.CultureInvariant)]
    private static partial Regex ConnectJar();
}
