using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>
/// IOperatorStore over EF Core; rows are taken in the order of <see cref="SessionStore"/>. An unclaimed session holds a binding
/// under a key of its client session id alone, which no user's key can be; claiming replaces it by the user's own.
/// </summary>
internal sealed class OperatorStore(StoreRunner store, AuditTrail audit, StoreOptions options) : IOperatorStore
{
    private const int SecondsAnHour = 3_600;

    public async Task<Result<Session>> OpenUnclaimedAsync(UnclaimedSession session, SessionLimits limits, Caller actor, CancellationToken cancellation)
    {
        var opened = await store.ChangeInTurnAsync<Session>(async db =>
        {
            await SessionStore.TakeTurnAsync(db, cancellation);
            if (await SessionQuota.RefuseAsync(db, opener: null, limits, cancellation) is { } refusal) return refusal;

            var row = new SessionRow
            {
                Id = session.Id,
                Namespace = session.Name.Namespace,
                Name = session.Name.Name,
                Incarnation = await SessionStore.NextIncarnationAsync(db, session.Name, cancellation),
                Kind = SessionKind.OnDemand,
                Platform = session.Platform,
                State = SessionState.Starting,
                Team = session.Team,
                Environment = session.Environment,
                OwnerReplica = session.OwnerReplica,
            };
            var unclaimed = new ClientSessionKey("", session.ClientSessionId);
            db.Add(row);
            db.Add(new BindingRow { Key = UnclaimedKey(session.ClientSessionId), ClientSessionPrefix = unclaimed.Prefix, SessionRowId = row.Id, State = BindingState.Bound, Via = BoundVia.PreCreated });
            db.Add(audit.Session("open", row, actor, null, ("platform", row.Platform), ("environment", row.Environment), ("client_session_prefix", unclaimed.Prefix)));
            await db.SaveChangesAsync(cancellation);
            await SessionStore.LeaseAsync(db.Sessions.Where(it => it.Id == row.Id), options, cancellation);
            return Change.Keep(row.ToSession());
        }, cancellation);
        if (opened.IsOk) GatewayMetrics.SessionOpened(opened.Value);
        return opened;
    }

    public async Task<Result<BoundSession?>> ClaimAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation)
    {
        // Nearly every client session that comes here was never pre-created: two reads, and no transaction.
        var unclaimed = UnclaimedKey(key.ClientSessionId);
        var read = await store.ReadAsync(async db => await db.Bindings.Where(row => row.Key == unclaimed).Select(row => (Guid?)row.SessionRowId).SingleOrDefaultAsync(cancellation), cancellation);
        if (!read.TryGet(out var found, out var unread)) return unread;
        if (found is not { } sessionId) return await store.ReadAsync(db => SessionStore.FindAsync(db, key, cancellation), cancellation);

        return await store.ChangeAsync<BoundSession?>(async db =>
        {
            var user = ColumnWord.Clean(key.UserId);
            var claimed = await db.Sessions.Where(row => row.Id == sessionId && row.OpenedBy == null).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.OpenedBy, user)
                .SetProperty(row => row.LastActivityAt, row => row.LastActivityAt > StoreClock.Now() ? row.LastActivityAt : StoreClock.Now()), cancellation);

            // Another call was first: of the same client session, or of somebody else's.
            if (claimed == 0) return Change.Drop(await SessionStore.FindAsync(db, key, cancellation));

            await db.Bindings.Where(row => row.Key == unclaimed).ExecuteDeleteAsync(cancellation);
            var session = await db.Sessions.SingleAsync(row => row.Id == sessionId, cancellation);
            var binding = new BindingRow
            {
                Key = key.Hash(),
                ClaimedUser = user,
                ClientSessionPrefix = ColumnWord.Clean(key.Prefix, ClientSessionKey.ShownCharacters),
                SessionRowId = sessionId,
                State = session.State == SessionState.Ended ? BindingState.Ended : BindingState.Bound,
                Via = BoundVia.PreCreated,
            };
            db.Add(binding);
            db.Add(audit.Client("bind", session, key, caller, null, ("via", ColumnWord.Of(binding.Via))));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep<BoundSession?>(new BoundSession(binding.ToBinding(key), session.ToSession()));
        }, cancellation);
    }

    public Task<Result<Session>> ExtendAsync(Guid id, int minutes, int mostHoursAhead, Caller actor, CancellationToken cancellation) =>
        store.ChangeAsync<Session>(async db =>
        {
            var seconds = minutes * 60;
            var bound = mostHoursAhead * SecondsAnHour;
            var moved = await db.Sessions
                .Where(row => row.Id == id && row.State == SessionState.Ready && row.MaxTtlAt != null)
                .Where(row => StoreClock.Later(row.MaxTtlAt!.Value, seconds) <= StoreClock.Later(StoreClock.Now(), bound))
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.MaxTtlAt, row => StoreClock.Later(row.MaxTtlAt!.Value, seconds)), cancellation);
            var row = await db.Sessions.SingleOrDefaultAsync(row => row.Id == id, cancellation);
            if (moved == 0) return WhyNot(id, row, mostHoursAhead);

            db.Add(audit.Session("extend", row!, actor, null, ("minutes", minutes.ToString(CultureInfo.InvariantCulture)), ("max_ttl_at", Text(row!.MaxTtlAt!.Value))));
            await db.SaveChangesAsync(cancellation);
            return Change.Keep(row.ToSession());
        }, cancellation);

    /// <summary>Keys of users begin with a digit, so no user's is the same.</summary>
    private static byte[] UnclaimedKey(string clientSessionId) => SHA256.HashData(Encoding.UTF8.GetBytes($"unclaimed:{clientSessionId}"));

    private static GatewayError WhyNot(Guid id, SessionRow? row, int mostHoursAhead) => row switch
    {
        null => new GatewayError(ErrorCode.NoSuchSession, Blame.Client, $"There is no session {id} any more."),
        { State: SessionState.Starting } => Refused(row, "is still starting: its time begins when it is ready, so extend it then."),
        { State: not SessionState.Ready } => Refused(row, "has ended or is ending: there is nothing left to extend. Open a new one."),
        { MaxTtlAt: null } => Refused(row, "has no time limit: it ends when somebody ends it."),
        _ => Refused(row, $"ends at {Text(row.MaxTtlAt.Value)}, and may be moved to at most {mostHoursAhead} hours from now (admin.max_extension_hours): extend it by fewer minutes, or later."),
    };

    private static GatewayError Refused(SessionRow row, string why) => new(ErrorCode.SessionChanged, Blame.Client, $"Session {row.Namespace}/{row.Name} {why}");

    private static string Text(DateTime time) => SessionRow.Utc(time).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
