using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Activity, expiry and tombstones. Times are compared where they are kept: no clock of a replica counts.</summary>
internal sealed partial class SessionStore
{
    /// <summary>Bounds one statement and the time that it holds its rows.</summary>
    private const int BatchRows = 500;

    /// <summary>The audit names replicas by their id: for a day their host can still be looked up.</summary>
    private const int ReplicaRowSeconds = 86_400;

    public Task<Result<bool>> RecordActivityAsync(IReadOnlyList<SessionActivity> used, TimeSpan busyFor, CancellationToken cancellation) =>
        store.ChangeAsync<bool>(async db =>
        {
            var busy = Seconds(busyFor);
            foreach (var ids in used.Where(one => one.IsBusy).Select(one => one.SessionId).Order().Chunk(BatchRows))
            {
                await Live(db, ids).ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.LastActivityAt, row => row.LastActivityAt > StoreClock.Now() ? row.LastActivityAt : StoreClock.Now())
                    .SetProperty(row => row.BusyUntil, row => row.BusyUntil > StoreClock.SecondsFromNow(busy) ? row.BusyUntil : StoreClock.SecondsFromNow(busy)), cancellation);
            }

            foreach (var ids in used.Where(one => !one.IsBusy).Select(one => one.SessionId).Order().Chunk(BatchRows))
            {
                await Live(db, ids).ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.LastActivityAt, row => row.LastActivityAt > StoreClock.Now() ? row.LastActivityAt : StoreClock.Now()), cancellation);
            }

            return Change.Keep(true);
        }, cancellation);

    public Task<Result<IReadOnlyList<SessionUse>>> ListExpiringAsync(TimeSpan idle, TimeSpan left, CancellationToken cancellation) =>
        store.ReadAsync<IReadOnlyList<SessionUse>>(async db =>
        {
            var (idleSeconds, leftSeconds) = (Seconds(idle), Seconds(left));
            var found = await db.Sessions
                .Where(row => row.Kind == SessionKind.OnDemand && row.State == SessionState.Ready)
                .Where(row => row.LastActivityAt <= StoreClock.SecondsAgo(idleSeconds)
                    || row.MaxTtlAt <= StoreClock.SecondsFromNow(leftSeconds)
                    || !db.Bindings.Any(binding => binding.SessionRowId == row.Id && binding.State == BindingState.Bound))
                .OrderBy(row => row.OpenedAt)
                .Select(row => new
                {
                    Row = row,
                    Bound = db.Bindings.Count(binding => binding.SessionRowId == row.Id && binding.State == BindingState.Bound),
                    ReleasedAt = db.Bindings.Where(binding => binding.SessionRowId == row.Id).Max(binding => binding.ReleasedAt),
                    Now = StoreClock.Now(),
                })
                .ToListAsync(cancellation);
            return [.. found.Select(use => new SessionUse(use.Row.ToSession(), use.Bound, SessionRow.Utc(use.ReleasedAt), SessionRow.Utc(use.Now)))];
        }, cancellation);

    public Task<Result<Session?>> MarkEndingAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation) =>
        store.ChangeAsync<Session?>(async db =>
        {
            var text = ColumnWord.Clean(detail, LongestDetail);
            var moved = await Due(db, condition)
                .Where(row => row.Id == id && row.State == SessionState.Ready)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.State, SessionState.Ending)
                    .SetProperty(row => row.EndReason, reason)
                    .SetProperty(row => row.EndDetail, text), cancellation);
            if (moved == 0) return Change.Drop<Session?>(null);

            // A client may have bound itself between the look of the update and its lock; now none can.
            if (condition is EndCondition.ReleasedFor && await CountBoundAsync(db, id, cancellation) > 0) return Change.Drop<Session?>(null);
            var row = await db.Sessions.SingleAsync(row => row.Id == id, cancellation);
            db.Add(audit.Session("ending", row, condition is EndCondition.Told told ? told.Actor : Caller.Gateway, ColumnWord.Of(reason), ("text", text)));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep<Session?>(row.ToSession());
        }, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListEndingAsync(TimeSpan endedWithin, CancellationToken cancellation) =>
        store.ReadAsync<IReadOnlyList<Session>>(async db =>
        {
            var seconds = Seconds(endedWithin);
            var rows = await db.Sessions
                .Where(row => row.State == SessionState.Ending || (row.State == SessionState.Ended && row.EndedAt >= StoreClock.SecondsAgo(seconds)))
                .ToListAsync(cancellation);
            return [.. rows.Select(row => row.ToSession())];
        }, cancellation);

    public Task<Result<int>> PruneAsync(TimeSpan age, CancellationToken cancellation) =>
        store.ChangeAsync<int>(async db =>
        {
            var seconds = Seconds(age);
            var old = await db.Sessions
                .Where(row => row.State == SessionState.Ended && row.EndedAt <= StoreClock.SecondsAgo(seconds))
                .OrderBy(row => row.EndedAt)
                .Select(row => row.Id)
                .Take(BatchRows)
                .ToListAsync(cancellation);
            if (old.Count > 0)
            {
                await db.Bindings.Where(row => old.Contains(row.SessionRowId)).ExecuteDeleteAsync(cancellation);
                await db.Sessions.Where(row => old.Contains(row.Id)).ExecuteDeleteAsync(cancellation);
            }

            var dead = Math.Max(ReplicaRowSeconds, deadAfter);
            await db.Replicas.Where(row => row.HeartbeatAt <= StoreClock.SecondsAgo(dead)).ExecuteDeleteAsync(cancellation);
            return Change.Keep(old.Count);
        }, cancellation);

    private static IQueryable<SessionRow> Live(GatewayDbContext db, Guid[] ids) =>
        db.Sessions.Where(row => ids.Contains(row.Id) && (row.State == SessionState.Starting || row.State == SessionState.Ready));

    private static IQueryable<SessionRow> Due(GatewayDbContext db, EndCondition condition)
    {
        switch (condition)
        {
            case EndCondition.IdleFor idle:
                var unused = Seconds(idle.Time);
                return db.Sessions.Where(row => row.LastActivityAt <= StoreClock.SecondsAgo(unused) && (row.BusyUntil == null || row.BusyUntil <= StoreClock.Now()));
            case EndCondition.ReleasedFor released:
                var lingered = Seconds(released.Time);
                return db.Sessions.Where(row => !db.Bindings.Any(binding => binding.SessionRowId == row.Id
                    && (binding.State == BindingState.Bound || binding.ReleasedAt > StoreClock.SecondsAgo(lingered))));
            case EndCondition.Told:
                return db.Sessions;
            default:
                return db.Sessions.Where(row => row.MaxTtlAt <= StoreClock.Now());
        }
    }

    /// <summary>Whole seconds, rounded up: nothing happens too early.</summary>
    private static int Seconds(TimeSpan time) => (int)Math.Min(int.MaxValue, Math.Ceiling(time.TotalSeconds));
}
