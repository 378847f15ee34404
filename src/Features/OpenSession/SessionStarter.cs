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
    Launcher launcher,
    FeatureOptions options,
    TimeProvider time,
    ILogger<SessionStarter> logger) : ISessionStarter
{
    private const string NoResult = "its start had ended without a result";
    private static readonly TimeSpan PollOthers = TimeSpan.FromSeconds(1);

    // Between the claim and Begin of the same process there is only a moment.
    private static readonly TimeSpan PollOwn = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<Guid, Launch> launches = new();

    /// <summary>Twice in a grace time at least, so that no start is given up that somebody waits for.</summary>
    private TimeSpan AskEvery => options.StartGrace / 2 < options.LaunchRenewEvery ? options.StartGrace / 2 : options.LaunchRenewEvery;

    public void Begin(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);

        // Nobody waits for a session that was opened before its client came: it gets all the time that a start may take.
        Begin(session, session.OpenedBy is null ? options.StartLimit : options.StartGrace);
    }

    public async Task<Result<Route>> WaitReadyAsync(Session session, CancellationToken waiter)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (table.FindRoute(session.Id) is { ClosedBy: null } live) return live;
        var began = time.GetTimestamp();
        long? asked = null;
        while (true)
        {
            if (launches.TryGetValue(session.Id, out var launch) && await WaitForAsync(launch, waiter) is { } result) return result;

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
                await launcher.EndAsync(now, EndReason.StartFailed, NoResult);
                return EndTexts.StartUnknown(now.Name);
            }

            if (!isOwn && (asked is not { } last || time.GetElapsedTime(last) >= AskEvery))
            {
                asked = time.GetTimestamp();
                if (await TakeOverAsync(now, options.StartGrace)) continue;

                // To be seen by the replica that starts it. If this is lost, the next one counts.
                await store.RecordActivityAsync([new SessionActivity(now.Id, IsBusy: false)], options.BusyGrace, waiter);
            }

            await Task.Delay(isOwn && time.GetElapsedTime(began) < PollOthers ? PollOwn : PollOthers, time, waiter);
        }
    }

    public async Task<Result<int>> TakeUpLapsedAsync(CancellationToken cancellation)
    {
        var list = await store.ListLapsedLaunchesAsync(cancellation);
        if (!list.TryGet(out var lapsed, out var error)) return error;
        var taken = 0;
        foreach (var session in lapsed.Where(it => !launches.ContainsKey(it.Id)))
        {
            if (session.OwnerReplica == options.Self.Id)
            {
                await launcher.EndAsync(session, EndReason.StartFailed, NoResult);
                taken++;
            }
            else if (await TakeOverAsync(session, options.StartLimit))
            {
                taken++;
            }
        }

        return taken;
    }

    private void Begin(Session session, TimeSpan grace)
    {
        var launch = new Launch(session, time, grace, WatchWaitersElsewhere(session));
        if (!launches.TryAdd(session.Id, launch)) return;
        launch.Arm();
        tasks.Start($"start of {session.Name}", stopping => RunAsync(launch, stopping));
    }

    /// <summary>Waiters on other replicas say so as activity of the session. A store that does not answer names none: theirs read nothing of it either.</summary>
    private Func<Task<bool>> WatchWaitersElsewhere(Session session)
    {
        var seen = session.LastActivityAt;
        return async () =>
        {
            if (options.Self.IsOnly) return false;
            var read = await store.FindSessionAsync(session.Id, CancellationToken.None);
            var before = seen;
            seen = read is { IsOk: true, Value: { } now } ? now.LastActivityAt : seen;
            return seen != before;
        };
    }

    /// <summary>
    /// The replica that starts it may be dead. Only where its driver lives on is there anything to take over: a local one died with
    /// its replica, and the heartbeat ends its session. Nothing is lost if it was only slow: the launch joins the driver that is there.
    /// </summary>
    private async Task<bool> TakeOverAsync(Session session, TimeSpan grace)
    {
        if (!session.OutlivesReplica || session.Platform != platform.Name) return false;
        var taken = await store.TakeOverLaunchAsync(session.Id, options.Self.Id, CancellationToken.None);
        if (taken is not { IsOk: true, Value: { } own }) return false;
        LogTakenOver(logger, own);
        Begin(own, grace);
        return true;
    }

    private static async Task<Result<Route>?> WaitForAsync(Launch launch, CancellationToken waiter)
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
        Result<Route>? result = Result<Route>.Fail(new GatewayError(ErrorCode.Internal, Blame.Gateway,
            $"Starting the driver of Spark session {session.Name} failed inside the gateway; this is a bug of the gateway. Call getOrCreate() to try again."));
        try
        {
            var run = await launcher.RunAsync(launch, stopping);
            if (run is not { } own) result = null;
            else result = own.TryGet(out var ready, out var error) ? await PublishAsync(ready) : error;
        }
        catch (Exception bug)
        {
            LogBug(logger, bug, session);
            await launcher.EndAsync(session, EndReason.StartFailed, "an error inside the gateway");
        }
        finally
        {
            // A waiter finds the launch, or else the store that knows its outcome: so the launch goes last.
            launch.Complete(result);
            launches.TryRemove(session.Id, out _);
        }
    }

    /// <summary>A driver that was not launched here and just now may have gone, and its address may be another's by now.</summary>
    private async Task<Result<Route>> FindAsync(Session ready, CancellationToken waiter)
    {
        if (ready.Platform != platform.Name) return await PublishAsync(ready);
        var found = await platform.LocateAsync(ready, waiter);
        if (!found.TryGet(out var driver, out var error)) return error;
        if (driver is not null) return await PublishAsync(ready with { Address = driver.Address, RuntimeId = driver.RuntimeId });
        var end = await store.EndAsync(ready.Id, EndReason.Lost, "", Caller.Gateway, CancellationToken.None);
        var lost = end is { IsOk: true, Value: { } ended } ? ended : ready with { EndReason = EndReason.Lost, EndedAt = time.GetUtcNow() };
        return await launcher.WhyAsync(lost, EndTexts.Ended(lost));
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

    [LoggerMessage(EventId = 2204, Level = LogLevel.Error, Message = "Session {Session}: starting its driver failed inside the gateway.")]
    private static partial void LogBug(ILogger logger, Exception bug, Session session);

    [LoggerMessage(EventId = 2205, Level = LogLevel.Warning, Message = "Session {Session}: the replica that started its driver fell silent; this one goes on.")]
    private static partial void LogTakenOver(ILogger logger, Session session);
}
