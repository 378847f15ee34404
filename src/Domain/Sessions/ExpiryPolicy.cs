using SparkGateway.Domain.Routing;

namespace SparkGateway.Domain.Sessions;

/// <summary>How long a session may be unused, and how long it may live.</summary>
public sealed record ExpiryLimits(TimeSpan IdleTimeout, TimeSpan MaxTtl);

/// <summary>A ready on-demand session and its use. All times are of one clock, the store's.</summary>
/// <param name="BoundClients">Client sessions that have not released it.</param>
/// <param name="LastReleasedAt">The latest release; null: there was none.</param>
public sealed record SessionUse(Session Session, int BoundClients, DateTimeOffset? LastReleasedAt, DateTimeOffset Now)
{
    /// <summary>Until max TTL; negative once it has passed.</summary>
    public TimeSpan? TimeLeft => Session.MaxTtlAt - Now;
}

/// <summary>When an on-demand session ends by itself.</summary>
public sealed record ExpiryPolicy
{
    public ExpiryLimits Limits { get; init; } = new(TimeSpan.FromMinutes(30), TimeSpan.FromHours(4));

    /// <summary>Limits of single teams, in the place of the general ones.</summary>
    public IReadOnlyDictionary<TeamRef, ExpiryLimits> Teams { get; init; } = new Dictionary<TeamRef, ExpiryLimits>();

    /// <summary>How long a driver lives on after its last client session was released.</summary>
    public TimeSpan ReleaseLinger { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>No session of any team is idle before.</summary>
    public TimeSpan LeastIdleTimeout => Teams.Values.Append(Limits).Min(limits => limits.IdleTimeout);

    public ExpiryLimits LimitsOf(Session session) =>
        session is { Team: { } team, Environment: { } environment } && Teams.TryGetValue(new TeamRef(team, environment), out var own) ? own : Limits;

    /// <summary>Why the session has to end now; null: it goes on.</summary>
    /// <param name="mayBeIdle">False: what is known of its use may be incomplete, so that only what does not depend on it counts.</param>
    public EndReason? Decide(SessionUse use, bool mayBeIdle)
    {
        if (use.Session is not { Kind: SessionKind.OnDemand, State: SessionState.Ready }) return null;
        if (use.TimeLeft <= TimeSpan.Zero) return EndReason.MaxTtl;
        if (use.BoundClients == 0 && use.Now - use.LastReleasedAt >= ReleaseLinger) return EndReason.Released;
        var isBusy = use.Session.BusyUntil > use.Now;
        return mayBeIdle && !isBusy && use.Now - use.Session.LastActivityAt >= LimitsOf(use.Session).IdleTimeout ? EndReason.Idle : null;
    }
}
