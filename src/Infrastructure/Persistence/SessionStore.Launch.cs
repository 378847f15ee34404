using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The lease of a start: who launches a driver says again and again that it does, so that others notice when it no longer can.</summary>
internal sealed partial class SessionStore
{
    public Task<Result<bool>> RenewLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) =>
        store.ChangeAsync<bool>(async db => Change.Keep(await LeaseAsync(Starts(db, id, owner), options, cancellation) > 0), cancellation);

    public Task<Result<Session?>> TakeOverLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) =>
        store.ChangeAsync<Session?>(async db =>
        {
            var lease = options.LaunchLeaseSeconds;
            var moved = await Lapsed(db).Where(row => row.Id == id).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.OwnerReplica, owner)
                .SetProperty(row => row.LaunchLeaseUntil, _ => StoreClock.SecondsFromNow(lease)), cancellation);
            if (moved == 0) return Change.Drop<Session?>(null);

            var row = await db.Sessions.SingleAsync(row => row.Id == id, cancellation);
            db.Add(audit.Session("adopt", row, Caller.Gateway));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep<Session?>(row.ToSession());
        }, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListLapsedLaunchesAsync(CancellationToken cancellation) =>
        store.ReadAsync<IReadOnlyList<Session>>(async db =>
        {
            var rows = await Lapsed(db).OrderBy(row => row.OpenedAt).Take(BatchRows).ToListAsync(cancellation);
            return [.. rows.Select(row => row.ToSession())];
        }, cancellation);

    public Task<Result<Session?>> EndLaunchAsync(Guid id, Guid owner, EndReason reason, string detail, CancellationToken cancellation) =>
        store.ChangeAsync<Session?>(async db =>
        {
            var ended = await EndRowAsync(db, db.Sessions.Where(row => row.OwnerReplica == owner), id, reason, detail, Caller.Gateway, cancellation);
            return ended is null ? Change.Drop<Session?>(null) : Change.Keep<Session?>(ended.ToSession());
        }, cancellation);

    internal static Task<int> LeaseAsync(IQueryable<SessionRow> starts, StoreOptions options, CancellationToken cancellation)
    {
        var lease = options.LaunchLeaseSeconds;
        return starts.ExecuteUpdateAsync(set => set.SetProperty(row => row.LaunchLeaseUntil, _ => StoreClock.SecondsFromNow(lease)), cancellation);
    }

    private static IQueryable<SessionRow> Starts(GatewayDbContext db, Guid id, Guid owner) =>
        db.Sessions.Where(row => row.Id == id && row.State == SessionState.Starting && row.OwnerReplica == owner);

    /// <summary>A start without a lease was begun by an older version, which renews none.</summary>
    private static IQueryable<SessionRow> Lapsed(GatewayDbContext db) =>
        db.Sessions.Where(row => row.State == SessionState.Starting && row.LaunchLeaseUntil < StoreClock.Now());
}
