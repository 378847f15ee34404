using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>What operators read. Pages follow the unique key (namespace, name, incarnation), so each is one walk along its index.</summary>
internal sealed class SessionCatalog(StoreRunner store) : ISessionCatalog
{
    public Task<Result<SessionPage>> ListAsync(SessionFilter filter, SessionPageKey? after, int limit, CancellationToken cancellation) =>
        store.ReadAsync(async db =>
        {
            // One more than asked for tells whether there is a next page.
            var rows = await Behind(Filter(db, filter), after)
                .OrderBy(row => row.Namespace).ThenBy(row => row.Name).ThenBy(row => row.Incarnation)
                .Take(limit + 1)
                .ToListAsync(cancellation);
            var items = rows.Take(limit).Select(row => row.ToSession()).ToList();
            return new SessionPage(items, rows.Count > limit ? new SessionPageKey(items[^1].Name, items[^1].Incarnation) : null);
        }, cancellation);

    public Task<Result<Session?>> FindAsync(SessionRef session, CancellationToken cancellation) =>
        store.ReadAsync(async db => (await FindRowAsync(db, session, cancellation))?.ToSession(), cancellation);

    public Task<Result<SessionRecord?>> DescribeAsync(SessionRef session, int mostBindings, int mostAuditRows, CancellationToken cancellation) =>
        store.ReadAsync(async db =>
        {
            if (await FindRowAsync(db, session, cancellation) is not { } row) return null;
            var bindings = await db.Bindings.Where(binding => binding.SessionRowId == row.Id)
                .OrderByDescending(binding => binding.CreatedAt).ThenBy(binding => binding.Key)
                .Take(mostBindings).ToListAsync(cancellation);
            var audit = await db.AuditLog.Where(entry => entry.SessionRowId == row.Id)
                .OrderByDescending(entry => entry.Id)
                .Take(mostAuditRows).ToListAsync(cancellation);
            return new SessionRecord(row.ToSession(), [.. bindings.Select(Summary)], [.. audit.Select(Entry)]);
        }, cancellation);

    private static Task<SessionRow?> FindRowAsync(GatewayDbContext db, SessionRef session, CancellationToken cancellation)
    {
        var name = session.Name;
        var rows = session.RowId is { } id
            ? db.Sessions.Where(row => row.Id == id)
            : db.Sessions.Where(row => row.Namespace == name.Namespace && row.Name == name.Name);
        return rows.OrderByDescending(row => row.Incarnation).FirstOrDefaultAsync(cancellation);
    }

    private static IQueryable<SessionRow> Filter(GatewayDbContext db, SessionFilter filter)
    {
        var rows = db.Sessions.AsQueryable();
        if (filter.Namespace is { } space) rows = rows.Where(row => row.Namespace == space);
        if (filter.Team is { } team) rows = rows.Where(row => row.Team == team);
        if (filter.User is not null)
        {
            var user = ColumnWord.Clean(filter.User);
            rows = rows.Where(row => row.OpenedBy == user || db.Bindings.Any(binding => binding.SessionRowId == row.Id && binding.ClaimedUser == user));
        }

        return filter.States switch
        {
            SessionStates.Live => rows.Where(row => row.State != SessionState.Ended),
            SessionStates.Starting => rows.Where(row => row.State == SessionState.Starting),
            SessionStates.Ready => rows.Where(row => row.State == SessionState.Ready),
            SessionStates.Ending => rows.Where(row => row.State == SessionState.Ending),
            SessionStates.Ended => rows.Where(row => row.State == SessionState.Ended),
            _ => rows,
        };
    }

    private static IQueryable<SessionRow> Behind(IQueryable<SessionRow> rows, SessionPageKey? after)
    {
        if (after is null) return rows;
        var ((space, name), incarnation) = (after.Name, after.Incarnation);
        return rows.Where(row => string.Compare(row.Namespace, space) > 0
            || (row.Namespace == space && (string.Compare(row.Name, name) > 0 || (row.Name == name && row.Incarnation > incarnation))));
    }

    private static BindingSummary Summary(BindingRow row) =>
        new(row.ClaimedUser, row.ClientSessionPrefix, row.State, row.Via, SessionRow.Utc(row.CreatedAt), SessionRow.Utc(row.ReleasedAt));

    private static AuditEntry Entry(AuditRow row) => new(
        row.Id, SessionRow.Utc(row.At), row.Actor, row.Action, row.ClaimedUser, row.ClientSessionPrefix, row.Reason, row.Detail, row.ClientAddress, row.UserAgent, row.Replica);
}
