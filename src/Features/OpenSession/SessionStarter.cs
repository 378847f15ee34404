using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.OpenSession;

/// <summary>
/// Starts each session's driver once, apart from the calls that wait for it. A session that is ready without a route here
/// (after a restart, or started by another replica) gets its route from the store.
/// </summary>
internal sealed partial class SessionStarter(
    ISessionStore store,
    IRouteTable table,
    IDriverPlatform platform,
    IDriverTokens tokens,
    TrackedTasks tasks,
    StorePatience patience,
    FeatureOptions options,
    TimeProvider time,
    ILogger<SessionStarter> logger) : ISessionStarter
{
    private const int LongestDetail = 500;
    private static readonly TimeSpan PollOthers = TimeSpan.FromSeconds(1);

    // Between the claim and Begin of the same process there is only a moment.
    private static readonly TimeSpan PollOwn = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<Guid, Launch> launches = new();

    public void Begin(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);

        // Nobody waits for a session that was opened before its client came: it gets all the time that a start may take.
        var launch = new Launch(session, time, session.OpenedBy is null ? options.StartLimit : options.StartGrace);
        if (!launches.TryAdd(session.Id, launch)) return;
        launch.Arm();
        tasks.Start($"start of {session.Name}", stopping => RunAsync(launch, stopping));
    }

    public async Task<Result<Route>> WaitReadyAsync(Session session, CancellationToken waiter)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (table.FindRoute(session.Id) is { ClosedBy: null } live) return live;
        var began = time.GetTimestamp();
        while (true)
        {
            if (launches.TryGetValue(session.Id, out var launch)) return await WaitForAsync(launch, waiter);

            // Read anew: what the caller holds may be older than the end of a start.
            var read = await store.FindSessionAsync(session.Id, waiter);
            if (!read.TryGet(out var now, out var error)) return error;
            if (now is null) return EndTexts.Forgotten();
            if (now.State == SessionState.Ready) return await FindAsync(now, waiter);
            if (!now.IsLive) return EndTexts.Ended(now);
            var isOwn = now.OwnerReplica == options.Self.Id;
            if (time.GetElapsedTime(began) >= options.StartLimit)
            {
                if (!isOwn) return EndTexts.StartTimedOut(now.Name, (int)options.StartLimit.TotalSeconds);

                // Own and without a launch: the store could not be told of its end at the time.
                await EndInStoreAsync(now, EndReason.StartFailed, "its start had ended without a result");
                return EndTexts.StartUnknown(now.Name);
            }

            await Task.Delay(isOwn ? PollOwn : PollOthers, time, waiter);
        }
    }

    private static async Task<Result<Route>> WaitForAsync(Launch launch, CancellationToken waiter)
    {
        launch.Join();
        try
        {
            return await launch.Done.WaitAsync(waiter);
        }
        finally
        {
            launch.Leave();
        }
    }

    private async Task RunAsync(Launch launch, CancellationToken stopping)
    {
        var session = launch.Session;
        Result<Route> result = new GatewayError(ErrorCode.Internal, Blame.Gateway,
            $"Starting the driver of Spark session {session.Name} failed inside the gateway; this is a bug of the gateway. Call getOrCreate() to try again.");
        try
        {
            result = await LaunchAsync(launch, stopping);
        }
        catch (Exception bug)
        {
            LogBug(logger, bug, session.Name);
            await GiveUpAsync(session, EndReason.StartFailed, "an error inside the gateway");
        }
        finally
        {
            // A waiter finds the launch, or else the store that knows its outcome: so the launch goes last.
            launch.Complete(result);
            launches.TryRemove(session.Id, out _);
        }
    }

    private async Task<Result<Route>> LaunchAsync(Launch launch, CancellationToken stopping)
    {
        var session = launch.Session;
        var began = time.GetTimestamp();
        LogStarting(logger, session.Name);
        Result<RunningDriver> start;
        using (var cancel = CancellationTokenSource.CreateLinkedTokenSource(launch.Abandoned, stopping))
        {
            try
            {
                var spec = new DriverSpec(session.Id, session.Name, session.Team ?? "", session.Environment ?? "", session.OpenedBy ?? "");
                start = await platform.LaunchAsync(spec, cancel.Token);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                start = EndTexts.Forgotten();
            }
        }

        if (launch.Abandoned.IsCancellationRequested) return await GiveUpAsync(session, EndReason.StartAbandoned, $"nobody waited for it for {options.StartGrace.TotalSeconds:0} seconds");
        if (stopping.IsCancellationRequested) return await GiveUpAsync(session, EndReason.Lost, "the gateway was stopped while its driver started");
        if (!start.TryGet(out var driver, out var failure)) return await FailAsync(session, failure);

        var ready = await store.MarkReadyAsync(session.Id, driver.Address, driver.RuntimeId, options.Expiry.LimitsOf(session).MaxTtl, CancellationToken.None);
        if (!ready.TryGet(out var now, out var refusal)) return await WithdrawAsync(session, refusal);
        var seconds = time.GetElapsedTime(began).TotalSeconds;
        LogReady(logger, session.Name, seconds);
        return await PublishAsync(now);
    }

    private async Task<Result<Route>> FailAsync(Session session, GatewayError failure)
    {
        // Only the first line is kept: those that follow are the driver's log, which is its opener's alone.
        var line = failure.Text.AsSpan();
        var lineEnd = line.IndexOfAny('\r', '\n');
        if (lineEnd >= 0) line = line[..lineEnd];
        var detail = line.Length > LongestDetail ? $"{line[..LongestDetail]}..." : line.ToString();
        LogFailed(logger, session.Name, detail);
        var end = await EndInStoreAsync(session, EndReason.StartFailed, detail);
        return end is { IsOk: true, Value: null } ? await WhyAsync(session, failure) : failure;
    }

    /// <summary>Somebody ended the session while its driver started, or the store cannot take it: the driver serves nobody.</summary>
    private async Task<Result<Route>> WithdrawAsync(Session session, GatewayError refusal)
    {
        await platform.StopAsync(DriverRef.Of(session), CancellationToken.None);
        if (refusal.Code == ErrorCode.Unavailable)
        {
            await EndInStoreAsync(session, EndReason.StartFailed, "the store could not be told that its driver was ready");
            return refusal;
        }

        return await WhyAsync(session, refusal);
    }

    /// <summary>Of a session that somebody else ended first: their reason, not what followed from it.</summary>
    private async Task<GatewayError> WhyAsync(Session session, GatewayError otherwise)
    {
        var read = await store.FindSessionAsync(session.Id, CancellationToken.None);
        return read is { IsOk: true, Value: { IsLive: false } ended } ? EndTexts.Ended(ended) : otherwise;
    }

    private async Task<Result<Route>> GiveUpAsync(Session session, EndReason reason, string detail)
    {
        await platform.StopAsync(DriverRef.Of(session), CancellationToken.None);
        var end = await EndInStoreAsync(session, reason, detail);
        LogGivenUp(logger, session.Name, detail);
        if (end is { IsOk: true, Value: { } ended }) return EndTexts.Ended(ended);
        return await WhyAsync(session, EndTexts.Ended(session with { EndReason = reason, EndDetail = detail, EndedAt = time.GetUtcNow() }));
    }

    private async Task<Result<Session?>> EndInStoreAsync(Session session, EndReason reason, string detail)
    {
        Task<Result<Session?>> End() => store.EndAsync(session.Id, reason, detail, Caller.Gateway, CancellationToken.None);
        var end = await End();
        if (end.Error is { Code: ErrorCode.Unavailable })
            tasks.Start($"end of {session.Name}", stopping => patience.InsistAsync(End, stopping));
        return end;
    }

    /// <summary>A driver that was not launched here and just now may have gone, and its address may be another's by now.</summary>
    private async Task<Result<Route>> FindAsync(Session ready, CancellationToken waiter)
    {
        if (ready.Platform != platform.Name) return await PublishAsync(ready);
        var found = await platform.LocateAsync(ready, waiter);
        if (!found.TryGet(out var driver, out var error)) return error;
        if (driver is not null) return await PublishAsync(ready with { Address = driver.Address, RuntimeId = driver.RuntimeId });
        await EndInStoreAsync(ready, EndReason.Lost, "");
        return await WhyAsync(ready, EndTexts.Ended(ready with { EndReason = EndReason.Lost, EndedAt = time.GetUtcNow() }));
    }

    private async Task<Result<Route>> PublishAsync(Session ready)
    {
        var token = ready.Kind == SessionKind.OnDemand ? tokens.ForOnDemand(ready.Id) : tokens.ForAttached(ready.Name);
        var route = table.Publish(new Route(ready, token));

        // Its end may have closed the route just before this one was published, so the store has the last word.
        var read = await store.FindSessionAsync(ready.Id, CancellationToken.None);
        if (read is { IsOk: true, Value: { IsLive: false } ended }) table.Close(ready.Id, EndTexts.Ended(ended));
        return route.ClosedBy is { } closed ? closed : route;
    }

    [LoggerMessage(EventId = 2200, Level = LogLevel.Information, Message = "Session {Session}: starting its driver.")]
    private static partial void LogStarting(ILogger logger, SessionName session);

    [LoggerMessage(EventId = 2201, Level = LogLevel.Information, Message = "Session {Session}: ready after {Seconds:0.0} s.")]
    private static partial void LogReady(ILogger logger, SessionName session, double seconds);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Warning, Message = "Session {Session}: its driver could not be started. {Detail}")]
    private static partial void LogFailed(ILogger logger, SessionName session, string detail);

    [LoggerMessage(EventId = 2204, Level = LogLevel.Error, Message = "Session {Session}: starting its driver failed inside the gateway.")]
    private static partial void LogBug(ILogger logger, Exception bug, SessionName session);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Information, Message = "Session {Session}: start given up, {Detail}.")]
    private static partial void LogGivenUp(ILogger logger, SessionName session, string detail);
}
