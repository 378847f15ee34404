using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>
/// How any session ends. A driver that is gone ends its session at once: the store, its calls here, what is left of it. All others
/// are told first: marked Ending in the store, its calls on every replica, then its driver, then Ended. Each step may be repeated.
/// </summary>
public sealed partial class SessionEnder(
    ISessionStore store,
    IRouteTable table,
    IDriverPlatform platform,
    TrackedTasks tasks,
    StorePatience patience,
    LastWords lastWords,
    FeatureOptions options,
    TimeProvider time,
    ILogger<SessionEnder> logger)
{
    private readonly ConcurrentDictionary<Guid, bool> finishing = new();

    /// <summary>At once, and whoever uses it. Null: it had ended before (and is cleared away here once more).</summary>
    public async Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, string logTail, CancellationToken cancellation)
    {
        lastWords.Keep(id, logTail);
        var end = await store.EndAsync(id, reason, detail, actor, cancellation);
        if (!end.TryGet(out var ended, out var error)) return error;
        if (ended is null)
        {
            var found = await store.FindSessionAsync(id, cancellation);
            if (found.Error is { } unread) return unread;
            if (found.Value is { State: SessionState.Ended } before) await ClearAwayAsync(before, logTail);
            return Result<Session?>.Ok(null);
        }

        LogEnded(logger, ended, ended.EndReason ?? reason, ended.EndDetail ?? "");
        await ClearAwayAsync(ended, logTail);
        return ended;
    }

    /// <summary>Begins the end of a session while the condition holds. Null: it does not hold.</summary>
    public async Task<Result<Session?>> RetireAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation)
    {
        var mark = await store.MarkEndingAsync(id, reason, detail, condition, cancellation);
        if (mark is { IsOk: true, Value: { } ending })
        {
            LogEnding(logger, ending, reason, detail);
            Finish(ending);
        }

        return mark;
    }

    /// <summary>Takes a session that is Ending to its end, if its driver is this replica's to stop; its calls here are ended in any case.</summary>
    public void Finish(Session ending)
    {
        table.Close(ending.Id, EndTexts.ForCalls(ending));
        if (ending.IsStoppableBy(options.Self.Id) && finishing.TryAdd(ending.Id, true))
            tasks.Start($"end of {ending.Name}", stopping => FinishAsync(ending, stopping));
    }

    private async Task FinishAsync(Session ending, CancellationToken stopping)
    {
        try
        {
            // The only replica has told all its clients already.
            if (!options.Self.IsOnly) await Task.Delay(options.EndingGrace, time, stopping);
            await platform.StopAsync(DriverRef.Of(ending), CancellationToken.None);
            var end = await patience.InsistAsync(
                () => store.EndAsync(ending.Id, ending.EndReason ?? EndReason.ClosedByOperator, ending.EndDetail ?? "", Caller.Gateway, CancellationToken.None), stopping);
            if (end is { IsOk: true, Value: { } ended }) LogEnded(logger, ended, ended.EndReason!.Value, ended.EndDetail ?? "");
        }
        finally
        {
            finishing.TryRemove(ending.Id, out _);
        }
    }

    // From here on the session is over for everybody, so a caller who goes away must not leave its driver behind.
    private async Task ClearAwayAsync(Session ended, string logTail)
    {
        table.Close(ended.Id, EndTexts.ForCalls(ended, logTail));
        if (ended.Kind == SessionKind.OnDemand) await platform.StopAsync(DriverRef.Of(ended), CancellationToken.None);
    }

    [LoggerMessage(EventId = 2110, Level = LogLevel.Information, Message = "Session {Session} ended: {Reason}. {Detail}")]
    private static partial void LogEnded(ILogger logger, Session session, EndReason reason, string detail);

    [LoggerMessage(EventId = 2111, Level = LogLevel.Information, Message = "Session {Session} is ending: {Reason}. {Detail}")]
    private static partial void LogEnding(ILogger logger, Session session, EndReason reason, string detail);
}
