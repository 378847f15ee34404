using System.Diagnostics;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>One driver under its supervisor, from start to certain end.</summary>
internal sealed class DriverProcess
{
    // The supervisor ends everything within its grace; whatever is left this much later is killed from here.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Process supervisor;
    private readonly StreamWriter pipe;
    private readonly DriverLog log;
    private readonly string workFolder;
    private readonly TimeSpan grace;
    private readonly TimeProvider time;
    private int stopping;

    private DriverProcess(Process supervisor, DriverLog log, string workFolder, TimeSpan grace, TimeProvider time)
    {
        this.supervisor = supervisor;
        pipe = supervisor.StandardInput;
        this.log = log;
        this.workFolder = workFolder;
        this.grace = grace;
        this.time = time;
        Session = supervisor.Id;
        Ended = RunAsync();
    }

    /// <summary>The kernel session of the driver and all that it starts: the supervisor's pid.</summary>
    public int Session { get; }

    /// <summary>Completes with the exit code when no process of the driver is left and its log is complete. Never fails.</summary>
    public Task<int> Ended { get; }

    public bool IsStopping => Volatile.Read(ref stopping) != 0;

    public string LogTail => log.Tail();

    public static DriverProcess Start(DriverCommand command, DriverLog log, int graceSeconds, TimeProvider time) =>
        new(Supervisor.Start(command, graceSeconds), log, command.WorkFolder, TimeSpan.FromSeconds(graceSeconds), time);

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref stopping, 1) == 0) pipe.Close();
        using var waited = new CancellationTokenSource();
        await Task.WhenAny(Ended, Task.Delay(grace + Margin, time, waited.Token));
        await waited.CancelAsync();
        if (!Ended.IsCompleted) KillAll();
        await Ended;
    }

    /// <summary>An exit code in words.</summary>
    public static string Describe(int exitCode) => exitCode switch
    {
        137 => "it was killed (signal 9), exit code 137, as happens when the machine runs out of memory",
        > 128 and < 160 => $"it ended by signal {exitCode - 128}",
        _ => $"it ended with exit code {exitCode}",
    };

    private async Task<int> RunAsync()
    {
        var copying = log.CopyAsync(supervisor.StandardOutput);
        await supervisor.WaitForExitAsync();

        // A supervisor that was itself killed leaves its driver behind.
        while (KillAll()) await Task.Delay(Pause, time);

        // A process that left the session may hold the log open for ever.
        using var waited = new CancellationTokenSource();
        await Task.WhenAny(copying, Task.Delay(Margin, time, waited.Token));
        await waited.CancelAsync();
        var code = supervisor.ExitCode;
        supervisor.Dispose();
        RemoveWorkFolder();
        return code;
    }

    private bool KillAll()
    {
        var left = ProcFs.InSession(Session);
        foreach (var pid in left) ProcFs.Kill(pid);
        return left.Count > 0;
    }

    private void RemoveWorkFolder()
    {
        try
        {
            if (Directory.Exists(workFolder)) Directory.Delete(workFolder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Scratch files that cannot be removed are no reason to call a driver alive.
        }
    }
}
