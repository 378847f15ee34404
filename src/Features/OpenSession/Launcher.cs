using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.OpenSession;

/// <summary>
/// One start from the launch to what the store says of it. Where drivers outlive their replica another one may take the start over
/// when this one falls silent. From then on the store refuses whatever this one says, and the driver of that name is the other's: so
/// it is stopped only after the store has said that the session is over.
/// </summary>
internal sealed partial class Launcher(
    ISessionStore store,
    IDriverPlatform platform,
    TrackedTasks tasks,
    StorePatience patience,
    LastWords lastWords,
    FeatureOptions options,
    TimeProvider time,
    ILogger<Launcher> logger)
{
    /// <summary>What is wrong and whose move it is stand in the first thousand characters.</summary>
    private const int LongestDetail = 1_000;

    private string NobodyWaited => $"nobody waited for it for {options.StartGrace.TotalSeconds:0} seconds";

    /// <summary>The session once it is ready, or why it is not. Null: another replica has taken the start over.</summary>
    public async Task<Result<Session>?> RunAsync(Launch launch, CancellationToken stopping)
    {
        var session = launch.Session;
        var began = time.GetTimestamp();
        LogStarting(logger, session);
        var start = await LaunchAsync(launch, stopping);
        if (launch.Abandoned.IsCancellationRequested) return await GiveUpAsync(session, EndReason.StartAbandoned, NobodyWaited);
        if (stopping.IsCancellationRequested && session.OutlivesReplica) return EndTexts.StartHandedOn(session.Name);
        if (stopping.IsCancellationRequested) return await GiveUpAsync(session, EndReason.Lost, "the gateway was stopped while its driver started");
        if (!start.TryGet(out var driver, out var failure)) return await FailAsync(session, failure);

        // A start takes seconds to minutes: it is not thrown away for a store that does not answer in this moment.
        using var needless = CancellationTokenSource.CreateLinkedTokenSource(launch.Abandoned, stopping);
        var ready = await patience.InsistAsync(
            () => store.MarkReadyAsync(session.Id, options.Self.Id, driver.Address, driver.RuntimeId, options.Expiry.LimitsOf(session).MaxTtl, CancellationToken.None), needless.Token);
        if (ready.Error is { } refusal) return await EndAsync(session, EndReason.StartFailed, "the store could not be told that its driver was ready", refusal);
        var seconds = time.GetElapsedTime(began).TotalSeconds;
        LogReady(logger, session, seconds);
        return ready;
    }

    /// <summary>Ends a start of this replica, in the store and its driver. Null: another replica has taken it over.</summary>
    /// <param name="why">What its waiters read if it is this that ends it; null: that it has ended.</param>
    public async Task<Result<Session>?> EndAsync(Session session, EndReason reason, string detail, GatewayError? why = null)
    {
        // Nobody else can have it, and it goes whether the store can be told or not.
        if (!session.OutlivesReplica) await platform.StopAsync(DriverRef.Of(session), CancellationToken.None);
        var isEnder = false;
        var end = await TryAsync();
        if (end.Error is { Code: ErrorCode.Unavailable }) tasks.Start($"end of {session.Name}", stopping => patience.InsistAsync(TryAsync, stopping));
        if (end.Error is not null) return why ?? EndTexts.Ended(session with { EndReason = reason, EndDetail = detail, EndedAt = time.GetUtcNow() });
        if (end.Value is not { } now) return EndTexts.Forgotten();
        if (now.State != SessionState.Ended) return null;
        return isEnder && why is not null ? why : EndTexts.Ended(now);

        async Task<Result<Session?>> TryAsync()
        {
            var ended = await store.EndLaunchAsync(session.Id, options.Self.Id, reason, detail, CancellationToken.None);
            isEnder = ended is { IsOk: true, Value: not null };
            var now = ended.IsOk && !isEnder ? await store.FindSessionAsync(session.Id, CancellationToken.None) : ended;
            if (session.OutlivesReplica && now is { IsOk: true, Value: null or { State: SessionState.Ended } }) Stop(session);
            return now;
        }
    }

    /// <summary>Of a session that somebody else ended first: their reason, not what followed from it.</summary>
    public async Task<GatewayError> WhyAsync(Session session, GatewayError otherwise)
    {
        var read = await store.FindSessionAsync(session.Id, CancellationToken.None);
        return read is { IsOk: true, Value: { IsLive: false } ended } ? EndTexts.Ended(ended) : otherwise;
    }

    private async Task<Result<RunningDriver>> LaunchAsync(Launch launch, CancellationToken stopping)
    {
        var session = launch.Session;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(launch.Abandoned, stopping);
        using var renewals = new PeriodicTimer(options.LaunchRenewEvery, time);
        var renewal = RenewAsync(session, renewals);
        try
        {
            var spec = new DriverSpec(session.Id, session.Name, session.Team ?? "", session.Environment ?? "", session.OpenedBy ?? "");
            return await platform.LaunchAsync(spec, cancel.Token);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return EndTexts.Forgotten();
        }
        finally
        {
            renewals.Dispose();
            await renewal;
        }
    }

    /// <summary>A renewal that fails is made good by the next: the lease is three of them long.</summary>
    private async Task RenewAsync(Session session, PeriodicTimer renewals)
    {
        while (await renewals.WaitForNextTickAsync(CancellationToken.None))
        {
            var renewed = await store.RenewLaunchAsync(session.Id, options.Self.Id, CancellationToken.None);
            if (renewed is not { IsOk: true, Value: false }) continue;
            LogOvertaken(logger, session);
            return;
        }
    }

    private async Task<Result<Session>?> FailAsync(Session session, GatewayError failure)
    {
        // Only the first line is stored: those that follow may be the driver's log, which is its opener's alone. Clients that ask for settings
        // first pass over the answer to that, and read the end of the session at their next call.
        var lineEnd = failure.Text.AsSpan().IndexOfAny('\r', '\n');
        var line = lineEnd < 0 ? failure.Text : failure.Text[..lineEnd];
        var detail = line.Length > LongestDetail ? $"{line[..LongestDetail]}..." : line;
        LogFailed(logger, session, detail);
        var end = await EndAsync(session, EndReason.StartFailed, detail, failure);
        if (end is not null) lastWords.Keep(session.Id, failure.Text[line.Length..].Trim());
        return end;
    }

    private async Task<Result<Session>?> GiveUpAsync(Session session, EndReason reason, string detail)
    {
        LogGivenUp(logger, session, detail);
        return await EndAsync(session, reason, detail);
    }

    /// <summary>Beside the answer: a platform that cannot be reached must not keep the waiters from reading why.</summary>
    private void Stop(Session session) => tasks.Start($"stop of {session.Name}", _ => platform.StopAsync(DriverRef.Of(session), CancellationToken.None));

    [LoggerMessage(EventId = 2200, Level = LogLevel.Information, Message = "Session {Session}: starting its driver.")]
    private static partial void LogStarting(ILogger logger, Session session);

    [LoggerMessage(EventId = 2201, Level = LogLevel.Information, Message = "Session {Session}: ready after {Seconds:0.0} s.")]
    private static partial void LogReady(ILogger logger, Session session, double seconds);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Warning, Message = "Session {Session}: its driver could not be started. {Detail}")]
    private static partial void LogFailed(ILogger logger, Session session, string detail);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Information, Message = "Session {Session}: start given up, {Detail}.")]
    private static partial void LogGivenUp(ILogger logger, Session session, string detail);

    [LoggerMessage(EventId = 2206, Level = LogLevel.Warning, Message = "Session {Session}: another replica has taken its start over, this one had been silent for too long.")]
    private static partial void LogOvertaken(ILogger logger, Session session);
}
