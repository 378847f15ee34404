using MediatR;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ReconcileDrivers;

/// <summary>
/// Compares the drivers on the platform with the sessions of the store: drivers without a live session are removed, sessions
/// without a driver end as lost, both only when they have been so for the orphan grace. A driver whose session lives stays, and
/// is used again after a restart. Every replica runs it: all of it may be done twice.
/// </summary>
public static partial class ReconcileDrivers
{
    public sealed record Request : IRequest<Result<Outcome>>;

    /// <param name="Removed">Drivers without a live session, removed now.</param>
    /// <param name="Lost">Sessions without a driver, ended now.</param>
    /// <param name="Reported">Drivers that the store does not know and that are left alone, for it may have lost them.</param>
    public sealed record Outcome(int Removed, int Lost, int Reported);

    /// <summary>A younger store may be a new one beside the drivers of the old.</summary>
    private static readonly TimeSpan TrustedAge = TimeSpan.FromHours(1);

    internal sealed partial class Handler(
        IDriverInventory inventory,
        IGatewayInstance instance,
        ISessionStore store,
        ISessionHistory history,
        SessionEnder ender,
        FeatureOptions options,
        TimeProvider time,
        ILogger<Handler> logger) : IRequestHandler<Request, Result<Outcome>>
    {
        /// <summary>Since when each driver has no session, or each session no driver.</summary>
        private Dictionary<string, long> since = [];
        private HashSet<string> reported = [];

        public async Task<Result<Outcome>> Handle(Request request, CancellationToken cancellationToken)
        {
            if (store.SteadyFor < options.ExpiryHold) return new Outcome(0, 0, 0);

            // In this order: a row is written before its driver is made, so each driver seen here has its row by now.
            var known = inventory.List();
            if (!known.TryGet(out var drivers, out var unknown)) return unknown;
            var read = await store.ListLiveAsync(cancellationToken);
            if (!read.TryGet(out var sessions, out var unread)) return unread;

            var open = sessions.Where(session => session.Kind == SessionKind.OnDemand).ToDictionary(session => session.Id);
            var orphans = drivers.Where(driver => !open.ContainsKey(driver.SessionId)).ToList();
            var present = drivers.Where(driver => driver.IsRunning).Select(driver => driver.SessionId).ToHashSet();
            var bare = open.Values.Where(session => session.IsLive && session.OutlivesReplica && !present.Contains(session.Id)).ToList();
            Remember([.. orphans.Select(driver => driver.Id), .. bare.Select(session => session.Id.ToString())]);

            var removed = await RemoveAsync([.. orphans.Where(driver => IsDue(driver.Id, options.OrphanGrace))], drivers.Count, cancellationToken);
            if (!removed.TryGet(out var counts, out var unremoved)) return unremoved;
            var lost = await EndBareAsync(bare, cancellationToken);
            return lost.TryGet(out var ended, out var unended) ? new Outcome(counts.Removed, ended, counts.Reported) : unended;
        }

        private async Task<Result<(int Removed, int Reported)>> RemoveAsync(List<InventoryEntry> orphans, int all, CancellationToken cancellation)
        {
            List<InventoryEntry> over = [], strange = [];
            foreach (var driver in orphans)
            {
                var read = await store.FindSessionAsync(driver.SessionId, cancellation);
                if (read.Error is { } error) return error;
                if (read.Value is { } session)
                {
                    if (session.State == SessionState.Ended) over.Add(driver);
                    continue;
                }

                // The row of a session that is long over was deleted on purpose; the audit says so. That the store knows other
                // sessions that are over proves nothing: one restored from a backup does too.
                var past = await history.HasEndedAsync(driver.SessionId, cancellation);
                if (past.Error is { } unread) return unread;
                (past.Value ? over : strange).Add(driver);
            }

            if (strange.Count > 0)
            {
                var self = await instance.ReadAsync(cancellation);
                if (!self.TryGet(out var gateway, out var error)) return error;
                var isTrusted = gateway.Age >= TrustedAge && strange.Count * 2 <= all;
                if (isTrusted) over.AddRange(strange);
                else Report(strange);
                if (isTrusted) strange.Clear();
            }

            foreach (var driver in over)
            {
                var removal = await inventory.RemoveAsync(driver, cancellation);
                if (removal.Error is { } error) return error;
                LogRemoved(logger, driver.Name);
            }

            FeatureTelemetry.UnknownDrivers.Record(strange.Count);
            return (over.Count, strange.Count);
        }

        private async Task<Result<int>> EndBareAsync(List<Session> bare, CancellationToken cancellation)
        {
            var ended = 0;
            foreach (var session in bare)
            {
                // A start may have to wait for its cluster until the start limit; it fails by itself before this.
                var grace = session.State == SessionState.Starting ? options.StartLimit + options.OrphanGrace : options.OrphanGrace;
                if (!IsDue(session.Id.ToString(), grace)) continue;
                var exists = await inventory.ExistsAsync(session, cancellation);
                if (!exists.TryGet(out var isThere, out var error)) return error;
                if (isThere) continue;
                var end = await ender.EndAsync(session.Id, EndReason.Lost, "its driver does not exist any more", Caller.Gateway, "", cancellation);
                if (end.Error is { } failed) return failed;
                ended++;
            }

            return ended;
        }

        private void Remember(List<string> ids)
        {
            var now = time.GetTimestamp();
            since = ids.ToDictionary(id => id, id => since.GetValueOrDefault(id, now));
        }

        private bool IsDue(string id, TimeSpan grace) => time.GetElapsedTime(since[id]) >= grace;

        private void Report(List<InventoryEntry> strange)
        {
            foreach (var driver in strange)
                if (!reported.Contains(driver.Id)) LogStrange(logger, driver.Name);
            reported = [.. strange.Select(driver => driver.Id)];
        }

        [LoggerMessage(EventId = 2410, Level = LogLevel.Warning, Message = "Driver {Driver} had no live session any more and was removed.")]
        private static partial void LogRemoved(ILogger logger, SessionName driver);

        [LoggerMessage(EventId = 2411, Level = LogLevel.Warning, Message = "Driver {Driver} was made by this gateway, but its store does not know it. It is left alone, for the store is new or has lost rows: delete it if nobody needs it.")]
        private static partial void LogStrange(ILogger logger, SessionName driver);
    }
}
