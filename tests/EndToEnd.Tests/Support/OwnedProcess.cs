using System.Diagnostics;
using System.Globalization;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>
/// A program that a test started. Its output is kept line by line, and it dies with the test process: a small shell waits
/// for the end of a pipe that only the test holds.
/// </summary>
internal sealed class OwnedProcess : IAsyncDisposable
{
    private const string Watchdog = "read -r done || kill -KILL \"$0\"";

    private readonly Process process;
    private readonly Process watchdog;
    private readonly string name;
    private readonly string? ownFolder;
    private readonly Lock gate = new();
    private readonly List<string> lines = [];
    private readonly Signal changed = new();
    private readonly Task reading;

    private OwnedProcess(string name, Process process, string? ownFolder)
    {
        this.ownFolder = ownFolder;
        this.name = name;
        this.process = process;
        Pid = process.Id;
        watchdog = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Watchdog, Pid.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true })!;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public int Pid { get; }

    public bool HasExited => process.HasExited;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (gate) return [.. lines];
        }
    }

    public string Output => string.Join('\n', Lines);

    public long ResidentBytes => Status("VmRSS");

    public long PeakResidentBytes => Status("VmHWM");

    public static OwnedProcess Start(string name, string program, IEnumerable<string> arguments, IEnumerable<(string Name, string? Value)> environment, string? folder = null, bool ownsFolder = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? Path.GetTempPath(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (variable, value) in environment)
        {
            if (value is null) start.Environment.Remove(variable);
            else start.Environment[variable] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        return new OwnedProcess(name, process, ownsFolder ? folder : null);
    }

    /// <summary>The first line that fits; fails at once when the program ends before.</summary>
    public async Task<string> LineAsync(string what, Func<string, bool> fits, TimeSpan? limit = null)
    {
        string? found = null;
        await changed.WaitAsync(
            () => (found = Lines.FirstOrDefault(fits)) is not null
                || (reading.IsCompleted && !Lines.Any(fits) ? throw new InvalidOperationException($"{name} ended before {what}:\n{Output}") : false),
            () => $"{what} of {name}:\n{Output}",
            limit);
        return found!;
    }

    /// <summary>The exit code, 128 + N after signal N, once all output was read.</summary>
    public async Task<int> ExitAsync(TimeSpan? limit = null)
    {
        try
        {
            await process.WaitForExitAsync().Within($"the end of {name}", limit);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{Output}", late);
        }

        // Its children may hold the pipes for longer.
        await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System));
        return process.ExitCode;
    }

    public void Signal(string signal)
    {
        if (process.HasExited) return;
        using var kill = Process.Start("kill", [$"-{signal}", Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().Within($"the end of {name}");
        await watchdog.StandardInput.WriteLineAsync("done");
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync().Within($"the end of the watchdog of {name}");
        watchdog.Dispose();
        process.Dispose();
        if (ownFolder is not null) Directory.Delete(ownFolder, recursive: true);
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (gate) lines.Add(line);
            changed.Pulse();
        }

        await Task.Yield();
        changed.Pulse();
    }

    private long Status(string field) => File.ReadLines($"/proc/{Pid}/status")
        .Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024)
        .First();
}
