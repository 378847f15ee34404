using System.ComponentModel;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.SparkUi;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Drivers as child processes on loopback ports. Nothing is adopted: a driver dies with the gateway that started it.</summary>
internal sealed partial class LocalPlatform(
    GatewayOptions options,
    SparkLocator locator,
    DriverCommands commands,
    IDriverTokens tokens,
    UiPorts uis,
    TimeProvider time,
    ILogger<LocalPlatform> logger) : IDriverPlatform, IAsyncDisposable
{
    // A port can be lost to somebody else between its choice and the driver's bind, some seconds later.
    private const int MaxPorts = 3;
    private const int MaxUnreadExits = 256;
    private const int KeptLogs = 200;

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, LocalDriver> drivers = [];
    private readonly Ports ports = new(options.Local.PortRange);
    private readonly ListenTable listening = new(time);
    private readonly Channel<DriverExit> exits = Channel.CreateBounded<DriverExit>(MaxUnreadExits);
    private Engine? engine;

    private enum StartEnd
    {
        Ready,
        PortLost,
        Exited,
    }

    public string Name => Session.LocalPlatform;

    public ChannelReader<DriverExit> Exits => exits.Reader;

    public async Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        if (!Claim(spec).TryGet(out var driver, out var refused)) return refused;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.SparkConnect.StartLimitSeconds), time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token, driver.StopAsked);
        Phase(driver, "queued");
        try
        {
            if (!FindEngine().TryGet(out var found, out var missing)) return missing;
            return await StartAsync(driver, found, any.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed(driver, driver.StopAsked.IsCancellationRequested
                ? "was stopped while it started."
                : $"did not become ready within {options.SparkConnect.StartLimitSeconds} seconds (spark_connect.start_limit_seconds) and was stopped.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            return Failed(driver, $"could not be started: {e.Message}");
        }
        finally
        {
            if (!driver.IsReady) await ReleaseAsync(driver);
        }
    }

    /// <summary>As the store has it: an end of it is known at once where it runs.</summary>
    public Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ready);
        return Task.FromResult(Result<RunningDriver?>.Ok(new RunningDriver(ready.Address!, ready.RuntimeId!)));
    }

    public async Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(driver);
        LocalDriver? held;
        lock (gate) drivers.TryGetValue(driver.SessionId, out held);
        if (held is not null) await StopAsync(held, cancellation);
    }

    private static async Task StopAsync(LocalDriver driver, CancellationToken cancellation)
    {
        await driver.AskToStopAsync().WaitAsync(cancellation);
        await driver.Released.WaitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        LocalDriver[] all;
        lock (gate) all = [.. drivers.Values];
        await Task.WhenAll(all.Select(driver => StopAsync(driver, CancellationToken.None)));
        exits.Writer.TryComplete();
    }

    private Result<LocalDriver> Claim(DriverSpec spec)
    {
        lock (gate)
        {
            // Folders and logs bear the name.
            if (drivers.Values.Any(held => held.Spec.SessionId == spec.SessionId || held.Spec.Name.Name == spec.Name.Name)) return new GatewayError(ErrorCode.Internal, Blame.Gateway, $"Session {spec.Name} has a driver already.");
            if (drivers.Count >= options.Local.MaxDrivers)
            {
                var holders = string.Join(", ", drivers.Values.Select(held => $"{held.Spec.Name} ({(held.Spec.User.Length > 0 ? held.Spec.User : "no user")})"));
                return new GatewayError(ErrorCode.ResourceExhausted, Blame.Gateway, $"All {options.Local.MaxDrivers} local drivers (local.max_drivers) are in use, by {holders}. Stop one of these sessions, or wait until one is idle for long enough.");
            }

            var driver = new LocalDriver(spec, time);
            drivers.Add(spec.SessionId, driver);
            return driver;
        }
    }

    private async Task<Result<RunningDriver>> StartAsync(LocalDriver driver, Engine found, CancellationToken cancellation)
    {
        var token = tokens.ForOnDemand(driver.Spec.SessionId);
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!ports.Take().TryGet(out var port, out var none)) return none;
            driver.Port = port;
            if (!TakeUiPort(driver, found).TryGet(out var ui, out var noUi)) return noUi;
            driver.Process = Start(driver.Spec, found, port, ui, token);
            Phase(driver, "starting");
            switch (await WaitAsync(driver, driver.Process, cancellation))
            {
                case StartEnd.Ready:
                    return BecomeReady(driver, driver.Process);
                case StartEnd.PortLost when attempt < MaxPorts:
                    LogPortLost(driver.Spec.Name, port);
                    await driver.Process.StopAsync();
                    ports.Return(port);
                    driver.Port = 0;
                    break;
                case StartEnd.PortLost:
                    return Failed(driver, $"found its port taken by another program {MaxPorts} times.");
                default:
                    return Failed(driver, $"did not start: {DriverProcess.Describe(await driver.Process.Ended)}.");
            }
        }
    }

    /// <summary>0: it has none. Only whoever asks drivers what they do needs a UI.</summary>
    private Result<int> TakeUiPort(LocalDriver driver, Engine found)
    {
        if (!options.SparkConnect.ProtectRunningQueries || found is not Engine.Spark) return 0;
        if (driver.UiPort != 0) return driver.UiPort;
        var taken = ports.Take();
        if (!taken.IsOk) return taken;
        driver.UiPort = taken.Value;
        uis.Set(driver.Spec.SessionId, driver.UiPort);
        return driver.UiPort;
    }

    private DriverProcess Start(DriverSpec spec, Engine found, int port, int uiPort, string? token)
    {
        var state = Path.GetFullPath(options.StateDir);
        var logs = Directory.CreateDirectory(DriverLog.FolderIn(state));
        PruneLogs(logs);
        var command = commands.Prepare(found, spec.Name, Path.Combine(state, "drivers", spec.Name.Name), port, token, uiPort);
        var log = new DriverLog(DriverLog.PathIn(state, spec.Name), options.Local.LogMegabytes * 1024L * 1024L, new SecretMask(token));
        return DriverProcess.Start(command, log, options.Local.StopGraceSeconds, time);
    }

    private async Task<StartEnd> WaitAsync(LocalDriver driver, DriverProcess process, CancellationToken cancellation)
    {
        using var probe = new ReadinessProbe($"{DriverCommands.Host}:{driver.Port}", time);
        var open = false;
        while (!process.Ended.IsCompleted)
        {
            // The probe must not take a stranger for our driver.
            var sockets = listening.SocketsOn(driver.Port);
            var owner = ProcFs.Owner(sockets, process.Session);
            if (sockets.Count > 0 && owner is null && !open) return StartEnd.PortLost;
            if (owner is { } pid)
            {
                if (!open) Phase(driver, "port open");
                open = true;
                driver.RuntimeId = ProcFs.Identity(pid);
                if (driver.RuntimeId is not null && await probe.AnswersAsync(cancellation)) return StartEnd.Ready;
            }

            await Task.WhenAny(process.Ended, Task.Delay(TimeSpan.FromMilliseconds(options.Local.ProbeMilliseconds), time, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }

        return process.LogTail.Contains("Address already in use", StringComparison.OrdinalIgnoreCase) ? StartEnd.PortLost : StartEnd.Exited;
    }

    private RunningDriver BecomeReady(LocalDriver driver, DriverProcess process)
    {
        if (!driver.TryBecomeReady()) throw new OperationCanceledException(driver.StopAsked);
        Phase(driver, "ready");
        driver.Watching = WatchAsync(driver, process);
        return new RunningDriver($"{DriverCommands.Host}:{driver.Port}", driver.RuntimeId!);
    }

    /// <summary>Waits for the end of a ready driver, asked for or not.</summary>
    private async Task WatchAsync(LocalDriver driver, DriverProcess process)
    {
        var code = await process.Ended;
        var asked = process.IsStopping;
        await ReleaseAsync(driver);
        if (!asked) await exits.Writer.WriteAsync(new DriverExit(driver.Spec.SessionId, EndReason.Crashed, DriverProcess.Describe(code), process.LogTail));
    }

    /// <summary>Ends what is left of a driver, and only then gives its place and port to others.</summary>
    private async Task ReleaseAsync(LocalDriver driver)
    {
        if (driver.Process is { } process)
        {
            await process.StopAsync();
            Phase(driver, "exited");
        }

        ports.Return(driver.Port);
        ports.Return(driver.UiPort);
        uis.Remove(driver.Spec.SessionId);
        lock (gate) drivers.Remove(driver.Spec.SessionId);
        driver.MarkReleased();
    }

    private static GatewayError Failed(LocalDriver driver, string what)
    {
        var tail = driver.Process?.LogTail;
        var lines = string.IsNullOrEmpty(tail) ? " It wrote no log." : $" Its last log lines:\n{tail}";
        return new GatewayError(ErrorCode.StartFailed, Blame.Driver, $"The driver of session {driver.Spec.Name} {what}{lines}");
    }

    /// <summary>Looked for until it is found: asking a Python takes up to a second.</summary>
    private Result<Engine> FindEngine()
    {
        if (Volatile.Read(ref engine) is { } known) return known;
        if (!locator.Find().TryGet(out var found, out var missing)) return missing;
        var wanted = options.SparkConnect.OnDemand.SparkVersion;
        var isFirst = Interlocked.CompareExchange(ref engine, found, null) is null;
        if (isFirst && found is Engine.Spark spark && wanted.Length > 0 && spark.Version != wanted) LogVersion(wanted, spark.Version);
        return found;
    }

    private static void PruneLogs(DirectoryInfo logs)
    {
        foreach (var old in logs.EnumerateFiles("*.log*").OrderByDescending(file => file.LastWriteTimeUtc).Skip(KeptLogs)) old.Delete();
    }

    private void Phase(LocalDriver driver, string phase)
    {
        LogPhase(driver.Spec.Name, phase, driver.Elapsed.TotalSeconds);
        if (Activity.Current is { IsStopped: false } span) span.AddEvent(new ActivityEvent(phase));
    }
}
