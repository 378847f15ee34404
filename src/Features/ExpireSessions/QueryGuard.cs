using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ExpireSessions;

/// <summary>Keeps idle sessions whose driver still works, where that is wanted. Who cannot be asked is not kept.</summary>
internal sealed partial class QueryGuard(IDriverActivity drivers, FeatureOptions options, ILogger<QueryGuard> logger)
{
    private readonly HashSet<Guid> kept = [];

    public async Task<bool> KeepsAsync(Session session, CancellationToken cancellation)
    {
        if (!options.ProtectRunningQueries) return false;

        // A local driver is asked, and ended, by the replica that started it.
        if (!session.IsStoppableBy(options.Self.Id)) return true;
        if (!(await drivers.WhatRunsAsync(session, cancellation)).TryGet(out var running, out var error))
        {
            LogSilent(logger, session, error.Text);
            running = null;
        }

        if (running is null)
        {
            kept.Remove(session.Id);
            return false;
        }

        if (kept.Add(session.Id)) LogKept(logger, session, running);
        return true;
    }

    /// <summary>Sessions that are no candidates any more were used, or have ended.</summary>
    public void Forget(IEnumerable<Guid> allBut) => kept.IntersectWith(allBut);

    [LoggerMessage(EventId = 2401, Level = LogLevel.Information, Message = "Session {Session} is idle and kept: {Running}.")]
    private static partial void LogKept(ILogger logger, Session session, string running);

    [LoggerMessage(EventId = 2402, Level = LogLevel.Warning, Message = "Session {Session} is idle, and its driver does not say whether it still works, so it ends. {Reason}")]
    private static partial void LogSilent(ILogger logger, Session session, string reason);
}
