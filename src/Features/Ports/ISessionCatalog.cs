using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>Which sessions a list holds; null: all of them.</summary>
/// <param name="User">Who opened it, or has a client session on it.</param>
public sealed record SessionFilter(string? Team = null, string? User = null, string? Namespace = null, SessionStates States = SessionStates.Live);

/// <summary>States to list by.</summary>
public enum SessionStates
{
    /// <summary>All but Ended.</summary>
    Live,
    Starting,
    Ready,
    Ending,
    Ended,
    All,
}

/// <summary>The last session of a page: the next page begins behind it, also if it is gone by then.</summary>
public sealed record SessionPageKey(SessionName Name, int Incarnation);

/// <param name="Next">Null: there are no more.</param>
public sealed record SessionPage(IReadOnlyList<Session> Items, SessionPageKey? Next);

/// <summary>A client session of a session, with as much of its id as may be shown.</summary>
public sealed record BindingSummary(string? User, string ClientSessionPrefix, BindingState State, BoundVia Via, DateTimeOffset CreatedAt, DateTimeOffset? ReleasedAt);

/// <summary>A row of the audit.</summary>
/// <param name="Detail">A JSON object of texts.</param>
public sealed record AuditEntry(
    long Id,
    DateTimeOffset At,
    string Actor,
    string Action,
    string? User,
    string? ClientSessionPrefix,
    string? Reason,
    string Detail,
    string? ClientAddress,
    string? UserAgent,
    Guid Replica);

/// <summary>Newest bindings and audit rows first, each no more than was asked for.</summary>
public sealed record SessionRecord(Session Session, IReadOnlyList<BindingSummary> Bindings, IReadOnlyList<AuditEntry> Audit);

/// <summary>What operators read of the registry. A store that cannot be reached is UNAVAILABLE, never an exception.</summary>
public interface ISessionCatalog
{
    /// <summary>In the order of namespace, name and incarnation.</summary>
    Task<Result<SessionPage>> ListAsync(SessionFilter filter, SessionPageKey? after, int limit, CancellationToken cancellation);

    /// <summary>By its row id, or the newest incarnation of a name.</summary>
    Task<Result<Session?>> FindAsync(SessionRef session, CancellationToken cancellation);

    Task<Result<SessionRecord?>> DescribeAsync(SessionRef session, int mostBindings, int mostAuditRows, CancellationToken cancellation);
}
