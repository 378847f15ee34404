using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>How any session ends: first in the store, then for its calls here, then its driver. Each step may be repeated.</summary>
internal sealed partial class SessionEnder(ISessionStore store, IRouteTable table, IDriverPlatform platform, ILogger<SessionEnder> logger)
{
    /// <summary>Null: it had ended before (and is cleared away here once more), or it is in use although it must not be.</summary>
    public async Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, bool onlyWithoutBindings, Caller actor, string logTail, CancellationToken cancellation)
    {
        var end = await store.EndAsync(id, reason, detail, onlyWithoutBindings, actor, cancellation);
        if (!end.TryGet(out var ended, out var error)) return error;
        if (ended is null)
        {
            var found = await store.FindSessionAsync(id, cancellation);
            if (found.Error is { } unread) return unread;
            if (found.Value is { State: SessionState.Ended } before) await ClearAwayAsync(before, logTail);
            return Result<Session?>.Ok(null);
        }

        LogEnded(logger, ended.Name, ended.EndReason ?? reason, detail);
        await ClearAwayAsync(ended, logTail);
        return ended;
    }

    // From here on the session is over for everybody, so a caller who goes away must not leave its driver behind.
    private async Task ClearAwayAsync(Session ended, string logTail)
    {
        table.Close(ended.Id, ended.EndReason == EndReason.Released ? EndTexts.Released(ended) : EndTexts.Ended(ended, logTail));
        if (ended.Kind == SessionKind.OnDemand) await platform.StopAsync(ended.Id, CancellationToken.None);
    }

    [LoggerMessage(EventId = 2110, Level = LogLevel.Information, Message = "Session {Session} ended: {Reason}. {Detail}")]
    private static partial void LogEnded(ILogger logger, SessionName session, EndReason reason, string detail);
}
