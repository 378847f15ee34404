using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>What operators read and change.</summary>
public sealed partial class InMemorySessionStore : ISessionCatalog, IOperatorStore
{
    private readonly Dictionary<string, Guid> unclaimed = [];

    public Task<Result<SessionPage>> ListAsync(SessionFilter filter, SessionPageKey? after, int limit, CancellationToken cancellation) => Answer<SessionPage>(() =>
    {
        var found = sessions.Values.Where(session => filter.States == SessionStates.All || $"{filter.States}" == $"{session.State}" || (filter.States == SessionStates.Live && session.State != SessionState.Ended))
            .Where(session => filter.Team is null || session.Team == filter.Team)
            .OrderBy(session => session.Name.ToString(), StringComparer.Ordinal)
            .Where(session => after is null || string.CompareOrdinal(session.Name.ToString(), after.Name.ToString()) > 0)
            .ToList();
        var items = found.Take(limit).ToList();
        return new SessionPage(items, found.Count > limit ? new SessionPageKey(items[^1].Name, items[^1].Incarnation) : null);
    });

    public Task<Result<Session?>> FindAsync(SessionRef session, CancellationToken cancellation) => Answer(() => Result<Session?>.Ok(Find_NeedsLock(session)));

    public Task<Result<SessionRecord?>> DescribeAsync(SessionRef session, int mostBindings, int mostAuditRows, CancellationToken cancellation) => Answer(() =>
    {
        if (Find_NeedsLock(session) is not { } found) return Result<SessionRecord?>.Ok(null);
        var own = bindings.Values.Where(binding => binding.SessionId == found.Id)
            .Select(binding => new BindingSummary(binding.Key.UserId, binding.Key.Prefix, binding.State, binding.Via, time.GetUtcNow(), null));
        return new SessionRecord(found, [.. own.Take(mostBindings)], []);
    });

    public Task<Result<Session>> OpenUnclaimedAsync(UnclaimedSession session, SessionLimits limits, Caller actor, CancellationToken cancellation) => Answer<Session>(() =>
    {
        if (sessions.Values.Count(it => it.Kind == SessionKind.OnDemand && it.State != SessionState.Ended) >= limits.MaxSessions)
            return new GatewayError(ErrorCode.ResourceExhausted, Blame.Client, "Too many sessions.");
        unclaimed.Add(session.ClientSessionId, session.Id);
        leases[session.Id] = time.GetUtcNow() + LaunchLease;
        audit.Add($"open {session.Name} {actor.User}");
        return sessions[session.Id] = new Session
        {
            Id = session.Id,
            Name = session.Name,
            Incarnation = 1,
            Kind = SessionKind.OnDemand,
            Platform = session.Platform,
            State = SessionState.Starting,
            Team = session.Team,
            Environment = session.Environment,
            OwnerReplica = session.OwnerReplica,
            OpenedAt = time.GetUtcNow(),
        };
    });

    public Task<Result<BoundSession?>> ClaimAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation) => Answer(() =>
    {
        if (!unclaimed.Remove(key.ClientSessionId, out var id)) return Result<BoundSession?>.Ok(Bound_NeedsLock(key));
        sessions[id] = sessions[id] with { OpenedBy = key.UserId };
        var bound = Bind_NeedsLock(key, id, BoundVia.PreCreated);
        if (bound.Session.State == SessionState.Ended) bindings[key] = bound.Binding with { State = BindingState.Ended };
        return Result<BoundSession?>.Ok(Bound_NeedsLock(key));
    });

    public Task<Result<Session>> ExtendAsync(Guid id, int minutes, int mostHoursAhead, Caller actor, CancellationToken cancellation) => Answer<Session>(() =>
    {
        if (sessions.GetValueOrDefault(id) is not { State: SessionState.Ready, MaxTtlAt: { } end } session) return Gone;
        audit.Add($"extend {session.Name} {minutes}");
        return sessions[id] = session with { MaxTtlAt = end + TimeSpan.FromMinutes(minutes) };
    });

    private Session? Find_NeedsLock(SessionRef session) => session.RowId is { } id
        ? sessions.GetValueOrDefault(id)
        : sessions.Values.Where(it => it.Name == session.Name).OrderByDescending(it => it.Incarnation).FirstOrDefault();
}

/// <summary>Logs of drivers that never ran.</summary>
public sealed class FakeDriverLogs : IDriverLogs
{
    public IReadOnlyList<string> Lines { get; set; } = [];

    public Task<Result<IReadOnlyList<string>>> TailAsync(Session session, int lines, CancellationToken cancellation) =>
        Task.FromResult(Result<IReadOnlyList<string>>.Ok([.. Lines.TakeLast(lines)]));
}
