using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.TendReplica;

/// <summary>
/// Learns from the store which sessions end on other replicas: their calls here end with the reason, and drivers of this
/// replica are stopped. The host runs it.
/// </summary>
public sealed partial class SessionFollower(
    ISessionStore store,
    IRouteTable table,
    IDriverPlatform platform,
    SessionEnder ender,
    TrackedTasks tasks,
    FeatureOptions options,
    TimeProvider time,
    ILogger<SessionFollower> logger)
{
    /// <summary>A change becomes visible only when its transaction is done, after the time that it bears: so each look goes back further than the last one.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

    private HashSet<Guid> known = [];
    private bool isLate;

    public async Task RunAsync(CancellationToken cancellation)
    {
        // Without others there is nothing to learn.
        if (options.Self.IsOnly) return;
        var seen = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.FollowEvery, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            var now = time.GetTimestamp();
            if (await FollowAsync(time.GetElapsedTime(seen, now) + Overlap, cancellation)) seen = now;
        }
    }

    private async Task<bool> FollowAsync(TimeSpan back, CancellationToken cancellation)
    {
        var list = await store.ListEndingAsync(back, cancellation);
        if (!list.TryGet(out var sessions, out var error))
        {
            if (!isLate) LogLate(logger, error.Text);
            isLate = true;
            return false;
        }

        isLate = false;
        foreach (var session in sessions)
        {
            if (session.State == SessionState.Ended) ClearAway(session);
            else if (session.OwnerReplica == options.Self.Id) ender.Finish(session);
            else table.Close(session.Id, EndTexts.ForCalls(session));
        }

        known = [.. sessions.Where(session => session.State == SessionState.Ended).Select(session => session.Id)];
        return true;
    }

    private void ClearAway(Session ended)
    {
        table.Close(ended.Id, EndTexts.ForCalls(ended));

        // Whoever ended it could not stop our driver. Not waited for here: others are still to be told.
        if (ended.OwnerReplica == options.Self.Id && ended.Kind == SessionKind.OnDemand && !known.Contains(ended.Id))
            tasks.Start($"stop of {ended.Name}", _ => platform.StopAsync(DriverRef.Of(ended), CancellationToken.None));
    }

    [LoggerMessage(EventId = 2320, Level = LogLevel.Warning, Message = "The store does not say which sessions have ended; calls of such sessions end later. {Reason}")]
    private static partial void LogLate(ILogger logger, string reason);
}
