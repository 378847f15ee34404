using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SparkGateway.Testing;

namespace SparkGateway.Api.Tests;

/// <summary>What a run of the program left: exit code and both outputs.</summary>
internal sealed record GatewayRun(int ExitCode, string Out, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The built program as a process of its own, in a folder of its own.</summary>
internal sealed class Gateway : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly Task<string> error;

    private Gateway(Process process, string folder)
    {
        this.process = process;
        Folder = folder;
        error = process.StandardError.ReadToEndAsync();
    }

    public static string Program => Path.Combine(AppContext.BaseDirectory, "spark-gateway");

    public static string Solution { get; } = FindSolution();

    /// <summary>The working folder; removed at the end.</summary>
    public string Folder { get; }

    /// <summary>The lines of standard output that SayReady has read.</summary>
    public List<string> ReadyLines { get; } = [];

    public static async Task<GatewayRun> RunAsync(params string[] arguments)
    {
        using var gateway = Start(arguments);
        return await gateway.EndAsync();
    }

    public static Gateway Start(params string[] arguments) => Start(Program, arguments, []);

    public static Gateway Start(string program, string[] arguments, (string Name, string Value)[] environment)
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-api-").FullName;
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new(Process.Start(start)!, folder);
    }

    /// <summary>Serves on free ports and needs no Spark: the ready line has been printed when this returns.</summary>
    public static async Task<(Gateway Gateway, int Port, HttpClient Admin)> ServeAsync(params string[] more)
    {
        var (port, admin) = (Ports.Free(), Ports.Free());
        var gateway = Start(["serve", .. ServeArguments(port, admin), .. more]);
        using var limit = new CancellationTokenSource(Deadline);
        while (await gateway.process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            gateway.ReadyLines.Add(line);
            if (line.StartsWith("SparkSession", StringComparison.Ordinal)) return (gateway, port, new HttpClient { BaseAddress = new($"http://127.0.0.1:{admin}") });
        }

        throw new InvalidOperationException($"The gateway ended before it was ready: {await gateway.error}");
    }

    public static string[] ServeArguments(int port, int admin) =>
    [
        "--config", Path.Combine(Solution, "config", "local.yml"),
        "--set", $"spark_connect.port={port}",
        "--set", $"admin.port={admin}",
        "--set", "spark_connect.on_demand.enabled=false",
    ];

    /// <summary>Reads standard output up to the line that contains the text.</summary>
    public async Task<string> LineAsync(string text)
    {
        using var limit = new CancellationTokenSource(Deadline);
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains(text, StringComparison.Ordinal)) return line;
        throw new InvalidOperationException($"The program ended without a line that contains '{text}': {await error}");
    }

    public async Task<GatewayRun> SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        return await EndAsync();
    }

    public async Task<GatewayRun> EndAsync()
    {
        using var limit = new CancellationTokenSource(Deadline);
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return new(process.ExitCode, output, await error);
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static string FindSolution()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "SparkGateway.sln"))) at = at.Parent!;
        return at.FullName;
    }
}
