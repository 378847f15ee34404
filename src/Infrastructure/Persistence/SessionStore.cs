using System.Globalization;
using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>
/// ISessionStore over EF Core. Every change takes its rows in this order, so that no two wait for each other: turn, session, binding.
/// A row is taken by a conditional update; what is read after it is what the others have committed.
/// </summary>
internal sealed partial class SessionStore(StoreRunner store, AuditTrail audit, StoreOptions options) : ISessionStore
{
    private const int LongestDetail = 2_000;

    private readonly int deadAfter = options.DeadAfterSeconds;

    public TimeSpan SteadyFor => store.SteadyFor;

    public Task<Result<BoundSession?>> FindBindingAsync(ClientSessionKey key, CancellationToken cancellation) =>
        store.ReadAsync(db => FindAsync(db, key, cancellation), cancellation);

    public Task<Result<Session?>> FindSessionAsync(Guid id, CancellationToken cancellation) =>
        store.ReadAsync(async db => (await db.Sessions.SingleOrDefaultAsync(row => row.Id == id, cancellation))?.ToSession(), cancellation);

    public Task<Result<Session?>> FindLiveSessionAsync(SessionName name, CancellationToken cancellation) =>
        store.ReadAsync(async db =>
        {
            var row = await db.Sessions
                .Where(row => row.Namespace == name.Namespace && row.Name == name.Name)
                .Where(row => row.State == SessionState.Starting || row.State == SessionState.Ready)
                .OrderByDescending(row => row.Incarnation)
                .FirstOrDefaultAsync(cancellation);
            return row?.ToSession();
        }, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListLiveAsync(CancellationToken cancellation) =>
        store.ReadAsync<IReadOnlyList<Session>>(async db =>
        {
            var rows = await db.Sessions.Where(row => row.State != SessionState.Ended).OrderBy(row => row.OpenedAt).ThenBy(row => row.Id).ToListAsync(cancellation);
            return [.. rows.Select(row => row.ToSession())];
        }, cancellation);

    public Task<Result<ClaimedBinding>> OpenAsync(NewSession session, ClientSessionKey key, SessionLimits limits, Caller caller, CancellationToken cancellation) =>
        store.ChangeInTurnAsync<ClaimedBinding>(async db =>
        {
            await TakeTurnAsync(db, cancellation);
            if (await FindAsync(db, key, cancellation) is { } there) return Change.Drop(new ClaimedBinding(there, Won: false));

            var opener = ColumnWord.Clean(session.OpenedBy);
            if (await SessionQuota.RefuseAsync(db, opener, limits, cancellation) is { } refusal) return refusal;

            var row = new SessionRow
            {
                Id = session.Id,
                Namespace = session.Name.Namespace,
                Name = session.Name.Name,
                Incarnation = await NextIncarnationAsync(db, session.Name, cancellation),
                Kind = SessionKind.OnDemand,
                Platform = session.Platform,
                State = SessionState.Starting,
                Team = session.Team,
                Environment = session.Environment,
                OpenedBy = opener,
                OwnerReplica = session.OwnerReplica,
            };
            db.Add(row);
            db.Add(audit.Session("open", row, caller, null, ("platform", row.Platform), ("environment", row.Environment)));
            var binding = AddBinding(db, row, key, BoundVia.OnDemand, caller);
            await db.SaveChangesAsync(cancellation);
            await LeaseAsync(db.Sessions.Where(it => it.Id == row.Id), options, cancellation);
            return Change.Keep(new ClaimedBinding(new BoundSession(binding, row.ToSession()), Won: true));
        }, cancellation);

    public Task<Result<ClaimedBinding>> BindAsync(ClientSessionKey key, Guid sessionId, BoundVia via, Caller caller, CancellationToken cancellation) =>
        store.ChangeAsync<ClaimedBinding>(async db =>
        {
            // Taking the session keeps EndAsync from ending it unbound at the same time.
            var isLive = await TouchAsync(db.Sessions.Where(row => row.State == SessionState.Starting || row.State == SessionState.Ready), sessionId, cancellation);
            if (await FindAsync(db, key, cancellation) is { } there) return Change.Drop(new ClaimedBinding(there, Won: false));
            if (!isLive) return SessionGone;

            var row = await db.Sessions.SingleAsync(row => row.Id == sessionId, cancellation);
            var binding = AddBinding(db, row, key, via, caller);
            await db.SaveChangesAsync(cancellation);
            return Change.Keep(new ClaimedBinding(new BoundSession(binding, row.ToSession()), Won: true));
        }, cancellation);

    public Task<Result<Session>> MarkReadyAsync(Guid id, Guid owner, string address, string runtimeId, TimeSpan maxTtl, CancellationToken cancellation) =>
        store.ChangeAsync<Session>(async db =>
        {
            var ttl = Seconds(maxTtl);
            var moved = await db.Sessions
                .Where(row => row.Id == id && row.State == SessionState.Starting && row.OwnerReplica == owner)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.State, SessionState.Ready)
                    .SetProperty(row => row.LaunchLeaseUntil, (DateTime?)null)
                    .SetProperty(row => row.Address, address)
                    .SetProperty(row => row.RuntimeId, runtimeId)
                    .SetProperty(row => row.ReadyAt, _ => StoreClock.Now())
                    .SetProperty(row => row.LastActivityAt, row => row.LastActivityAt > StoreClock.Now() ? row.LastActivityAt : StoreClock.Now())
                    .SetProperty(row => row.MaxTtlAt, _ => StoreClock.SecondsFromNow(ttl)), cancellation);
            if (moved == 0) return SessionGone;

            var row = await db.Sessions.SingleAsync(row => row.Id == id, cancellation);
            db.Add(audit.Session("ready", row, Caller.Gateway, null, ("address", address), ("runtime_id", runtimeId)));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep(row.ToSession());
        }, cancellation);

    public Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation) =>
        store.ChangeAsync<int>(async db =>
        {
            if (await FindAsync(db, key, cancellation) is not { } bound) return Change.Drop(0);

            // Taking the session makes two last releases count one after the other: the second sees none left.
            await TouchAsync(db.Sessions.Where(row => row.State != SessionState.Ended), bound.Session.Id, cancellation);
            var hash = key.Hash();
            var moved = await db.Bindings
                .Where(row => row.Key == hash && row.State == BindingState.Bound)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.State, BindingState.Released)
                    .SetProperty(row => row.ReleasedAt, _ => StoreClock.Now()), cancellation);
            var left = await CountBoundAsync(db, bound.Session.Id, cancellation);
            if (moved == 0) return Change.Drop(left);

            var row = await db.Sessions.SingleAsync(row => row.Id == bound.Session.Id, cancellation);
            db.Add(audit.Client("release", row, key, caller));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep(left);
        }, cancellation);

    public Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation) =>
        store.ChangeAsync<Session?>(async db =>
        {
            var ended = await EndRowAsync(db, db.Sessions, id, reason, detail, actor, cancellation);
            return ended is null ? Change.Drop<Session?>(null) : Change.Keep<Session?>(ended.ToSession());
        }, cancellation);

    public Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation) =>
        store.ChangeAsync<IReadOnlyList<Session>>(async db =>
        {
            await TakeTurnAsync(db, cancellation);
            var there = await db.Sessions.Where(row => row.Kind == SessionKind.Attached && row.Platform == Session.ConfigPlatform && row.State != SessionState.Ended).ToListAsync(cancellation);
            var listed = drivers.ToDictionary(driver => driver.Name);
            var kept = new List<Guid>();
            foreach (var row in there)
            {
                var driver = listed.GetValueOrDefault(new SessionName(row.Namespace, row.Name));
                if (driver?.Address == row.Address)
                {
                    kept.Add(row.Id);
                    listed.Remove(driver!.Name);
                }
                else
                {
                    var detail = driver is null ? "no longer in the configuration" : $"the configuration now names {driver.Address}";
                    await EndRowAsync(db, db.Sessions, row.Id, EndReason.Replaced, detail, Caller.Gateway, cancellation);
                }
            }

            foreach (var driver in listed.Values) kept.Add(await AttachAsync(db, driver.Name, Session.ConfigPlatform, driver.Address, null, cancellation));
            var rows = await db.Sessions.Where(row => kept.Contains(row.Id)).OrderBy(row => row.Namespace).ThenBy(row => row.Name).ToListAsync(cancellation);
            return Change.Keep<IReadOnlyList<Session>>([.. rows.Select(row => row.ToSession())]);
        }, cancellation);

    public Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation) =>
        store.ChangeAsync<IReadOnlyList<Session>>(async db =>
        {
            await StampAsync(db, self, cancellation);

            // After a gap the others may have been cut off from the store as well: they get their time to come back first.
            var mayJudge = self.IsOnly || await db.Replicas.AnyAsync(row => row.Id == self.Id && row.SteadySince <= StoreClock.SecondsAgo(deadAfter), cancellation);
            if (!mayJudge) return Change.Keep<IReadOnlyList<Session>>([]);

            var orphans = db.Sessions.Where(row => row.Platform == Session.LocalPlatform && row.State != SessionState.Ended && row.OwnerReplica != self.Id);
            if (!self.IsOnly)
                orphans = orphans.Where(row => !db.Replicas.Any(replica => replica.Id == row.OwnerReplica && replica.HeartbeatAt > StoreClock.SecondsAgo(deadAfter)));

            var lost = new List<Session>();
            foreach (var id in await orphans.OrderBy(row => row.Id).Select(row => row.Id).ToListAsync(cancellation))
            {
                var row = await EndRowAsync(db, db.Sessions, id, EndReason.Lost, "the gateway process that ran its driver is gone", Caller.Gateway, cancellation);
                if (row is not null) lost.Add(row.ToSession());
            }

            return Change.Keep<IReadOnlyList<Session>>(lost);
        }, cancellation);

    public Task<Result<bool>> RecordDenialAsync(Denial denial, CancellationToken cancellation) =>
        store.ChangeAsync<bool>(async db =>
        {
            db.Add(audit.Denial(denial));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep(true);
        }, cancellation);

    private static GatewayError SessionGone { get; } = new(ErrorCode.SessionChanged, Blame.Gateway,
        "The Spark session has ended meanwhile and its driver is gone; call getOrCreate() again for a new one.");

    internal static async Task<BoundSession?> FindAsync(GatewayDbContext db, ClientSessionKey key, CancellationToken cancellation)
    {
        var hash = key.Hash();
        var found = await db.Bindings
            .Where(binding => binding.Key == hash)
            .Join(db.Sessions, binding => binding.SessionRowId, session => session.Id, (binding, session) => new { binding, session })
            .SingleOrDefaultAsync(cancellation);
        return found is null ? null : new BoundSession(found.binding.ToBinding(key), found.session.ToSession());
    }

    internal static Task<int> TakeTurnAsync(GatewayDbContext db, CancellationToken cancellation) =>
        db.Turns.ExecuteUpdateAsync(set => set.SetProperty(row => row.TakenAt, _ => StoreClock.Now()), cancellation);

    private static async Task<bool> TouchAsync(IQueryable<SessionRow> sessions, Guid id, CancellationToken cancellation) =>
        await sessions.Where(row => row.Id == id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.LastActivityAt, row => row.LastActivityAt > StoreClock.Now() ? row.LastActivityAt : StoreClock.Now()), cancellation) > 0;

    private static Task<int> CountBoundAsync(GatewayDbContext db, Guid sessionId, CancellationToken cancellation) =>
        db.Bindings.CountAsync(row => row.SessionRowId == sessionId && row.State == BindingState.Bound, cancellation);

    internal static async Task<int> NextIncarnationAsync(GatewayDbContext db, SessionName name, CancellationToken cancellation) =>
        1 + (await db.Sessions.Where(row => row.Namespace == name.Namespace && row.Name == name.Name).MaxAsync(row => (int?)row.Incarnation, cancellation) ?? 0);

    private Binding AddBinding(GatewayDbContext db, SessionRow session, ClientSessionKey key, BoundVia via, Caller caller)
    {
        var row = new BindingRow
        {
            Key = key.Hash(),
            ClaimedUser = ColumnWord.Clean(key.UserId),
            ClientSessionPrefix = ColumnWord.Clean(key.Prefix, ClientSessionKey.ShownCharacters),
            SessionRowId = session.Id,
            State = BindingState.Bound,
            Via = via,
        };
        db.Add(row);
        db.Add(audit.Client("bind", session, key, caller, null, ("via", ColumnWord.Of(via))));
        return row.ToBinding(key);
    }

    /// <summary>Null: it was ended already, or is none of these; the caller drops the change then.</summary>
    private async Task<SessionRow?> EndRowAsync(GatewayDbContext db, IQueryable<SessionRow> sessions, Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation)
    {
        var text = ColumnWord.Clean(detail, LongestDetail);
        var moved = await sessions
            .Where(row => row.Id == id && row.State != SessionState.Ended)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.State, SessionState.Ended)
                .SetProperty(row => row.LaunchLeaseUntil, (DateTime?)null)
                .SetProperty(row => row.EndedAt, _ => StoreClock.Now())
                .SetProperty(row => row.EndReason, row => row.EndReason ?? reason)
                .SetProperty(row => row.EndDetail, row => row.EndDetail ?? text), cancellation);
        if (moved == 0) return null;

        await db.Bindings
            .Where(row => row.SessionRowId == id && row.State == BindingState.Bound)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, BindingState.Ended), cancellation);
        var row = await db.Sessions.SingleAsync(row => row.Id == id, cancellation);
        db.Add(audit.Session("end", row, actor, ColumnWord.Of(row.EndReason ?? reason), ("text", row.EndDetail)));
        await db.SaveChangesAsync(cancellation);
        return row;
    }

    private async Task<Guid> AttachAsync(GatewayDbContext db, SessionName name, string platform, string address, FoundDriver? found, CancellationToken cancellation)
    {
        var row = new SessionRow
        {
            Id = Guid.NewGuid(),
            Namespace = name.Namespace,
            Name = name.Name,
            Incarnation = await NextIncarnationAsync(db, name, cancellation),
            Kind = SessionKind.Attached,
            Platform = platform,
            State = SessionState.Ready,
            Address = address,
            RuntimeId = found?.RuntimeId,
            RuntimeSince = found?.Since.ToUnixTimeMilliseconds(),
        };
        db.Add(row);
        db.Add(audit.Session("attach", row, Caller.Gateway, null, ("address", address), ("runtime_id", found?.RuntimeId)));
        await db.SaveChangesAsync(cancellation);
        await db.Sessions.Where(it => it.Id == row.Id).ExecuteUpdateAsync(set => set
            .SetProperty(it => it.ReadyAt, it => it.OpenedAt)
            .SetProperty(it => it.LastActivityAt, it => it.OpenedAt), cancellation);
        return row.Id;
    }

    private async Task StampAsync(GatewayDbContext db, Replica self, CancellationToken cancellation)
    {
        var stamped = await db.Replicas.Where(row => row.Id == self.Id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.SteadySince, row => row.HeartbeatAt > StoreClock.SecondsAgo(deadAfter) ? row.SteadySince : StoreClock.Now())
            .SetProperty(row => row.HeartbeatAt, _ => StoreClock.Now()), cancellation);
        if (stamped > 0) return;

        db.Add(new ReplicaRow { Id = self.Id, Host = self.Host, StateDir = self.StateDir });
        await db.SaveChangesAsync(cancellation);
    }
}
