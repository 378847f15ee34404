using System.Globalization;
using MediatR;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ExpireSessions;

/// <summary>
/// Begins the end of sessions that are idle, too old or released; takes up again what a crash has left half ended; forgets
/// old tombstones. Every replica runs it: a session is marked once, and all that follows may be repeated.
/// </summary>
public static partial class ExpireSessions
{
    public sealed record Request : IRequest<Result<Outcome>>;

    /// <param name="Retired">Sessions whose end this run began.</param>
    /// <param name="Resumed">Sessions that were Ending already and are this replica's to end.</param>
    /// <param name="Pruned">Tombstones that are forgotten now.</param>
    /// <param name="NearMaxTtl">Sessions of this replica that reach their max TTL soon.</param>
    /// <param name="TakenUp">Starts whose replica fell silent.</param>
    public sealed record Outcome(int Retired, int Resumed, int Pruned, int NearMaxTtl, int TakenUp = 0);

    internal sealed partial class Handler(
        ISessionStore store,
        SessionEnder ender,
        ISessionStarter starter,
        ActivityFlusher activity,
        QueryGuard guard,
        FeatureOptions options,
        ILogger<Handler> logger) : IRequestHandler<Request, Result<Outcome>>
    {
        private HashSet<Guid> announced = [];

        public async Task<Result<Outcome>> Handle(Request request, CancellationToken cancellationToken)
        {
            var resumed = await ResumeAsync(cancellationToken);
            if (resumed.Error is { } unread) return unread;
            var taken = await starter.TakeUpLapsedAsync(cancellationToken);
            if (taken.Error is { } untaken) return untaken;

            // What this replica knows goes first, or its own calls of the last seconds would not count.
            var flushed = await activity.FlushAsync(cancellationToken);
            if (flushed.Error is { } unflushed) return unflushed;

            var list = await store.ListExpiringAsync(options.Expiry.LeastIdleTimeout, options.TtlNotice, cancellationToken);
            if (!list.TryGet(out var candidates, out var error)) return error;
            guard.Forget(allBut: candidates.Select(use => use.Session.Id));
            var retired = 0;
            foreach (var use in candidates)
            {
                var end = await RetireAsync(use, cancellationToken);
                if (end.Error is { } failed) return failed;
                if (end.Value is not null) retired++;
            }

            var near = Announce(candidates);
            var pruned = await store.PruneAsync(options.TombstoneAge, cancellationToken);
            return pruned.Error is { } unpruned ? unpruned : new Outcome(retired, resumed.Value, pruned.Value, near, taken.Value);
        }

        private async Task<Result<int>> ResumeAsync(CancellationToken cancellation)
        {
            var list = await store.ListEndingAsync(TimeSpan.Zero, cancellation);
            if (!list.TryGet(out var sessions, out var error)) return error;
            var left = sessions.Where(session => session.State == SessionState.Ending && session.IsStoppableBy(options.Self.Id)).ToList();
            foreach (var session in left) ender.Finish(session);
            return left.Count;
        }

        private async Task<Result<Session?>> RetireAsync(SessionUse use, CancellationToken cancellation)
        {
            var policy = options.Expiry;
            var limits = policy.LimitsOf(use.Session);
            return policy.Decide(use, mayBeIdle: store.SteadyFor >= options.ExpiryHold) switch
            {
                EndReason.MaxTtl => await EndAsync(EndReason.MaxTtl, $"it was ready since {Text(use.Session.ReadyAt)}", new EndCondition.TtlReached()),
                EndReason.Released => await EndAsync(EndReason.Released, "", new EndCondition.ReleasedFor(policy.ReleaseLinger)),
                EndReason.Idle when await guard.KeepsAsync(use.Session, cancellation) => Result<Session?>.Ok(null),
                EndReason.Idle => await EndAsync(EndReason.Idle, $"{Text(limits.IdleTimeout)}, last used at {Text(use.Session.LastActivityAt)}", new EndCondition.IdleFor(limits.IdleTimeout)),
                _ => Result<Session?>.Ok(null),
            };

            Task<Result<Session?>> EndAsync(EndReason reason, string detail, EndCondition condition) =>
                ender.RetireAsync(use.Session.Id, reason, detail, condition, cancellation);
        }

        /// <summary>Each session once; the number is a gauge. No client reads what could warn it, so this is for operators.</summary>
        private int Announce(IReadOnlyList<SessionUse> candidates)
        {
            var near = candidates.Where(use => use.Session.OwnerReplica == options.Self.Id && use.TimeLeft > TimeSpan.Zero && use.TimeLeft <= options.TtlNotice).ToList();
            foreach (var use in near)
                if (!announced.Contains(use.Session.Id)) LogNearMaxTtl(logger, use.Session, use.TimeLeft!.Value.TotalMinutes, use.Session.OpenedBy ?? "");
            announced = [.. near.Select(use => use.Session.Id)];
            FeatureTelemetry.NearMaxTtl.Record(near.Count);
            return near.Count;
        }

        private static string Text(DateTimeOffset? at) => string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm:ss} UTC");

        private static string Text(TimeSpan time) => time.TotalMinutes < 1
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} seconds")
            : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} minutes");

        [LoggerMessage(EventId = 2400, Level = LogLevel.Information, Message = "Session {Session} reaches its max TTL in {Minutes:0.0} minutes and ends then; user {User}.")]
        private static partial void LogNearMaxTtl(ILogger logger, Session session, double minutes, string user);
    }
}
