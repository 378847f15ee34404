using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>What the winner writes before it launches a driver.</summary>
/// <param name="Id">Row id, drawn by the caller; the driver's token derives from it.</param>
/// <param name="Platform">"local" or "kubernetes".</param>
/// <param name="OwnerReplica">The replica that will launch it.</param>
public sealed record NewSession(Guid Id, SessionName Name, string Platform, string Team, string Environment, string OpenedBy, Guid OwnerReplica);

/// <summary>How many on-demand sessions may be live (Starting, Ready or Ending) at once.</summary>
public sealed record SessionLimits(int MaxSessions, int MaxPerUser);

/// <summary>The binding that is in force after a claim, and whether this claim made it.</summary>
public sealed record ClaimedBinding(BoundSession Bound, bool Won);

/// <summary>An attached (BYOD) driver as the configuration lists it.</summary>
/// <param name="Address">host:port of its Spark Connect server.</param>
/// <param name="TokenFile">File with the token it demands, or null.</param>
public sealed record AttachedDriver(SessionName Name, string Address, string? TokenFile);

/// <summary>That a session was used since it was last told.</summary>
/// <param name="IsBusy">It has open calls, or one broke whose client may come back for the rest.</param>
public sealed record SessionActivity(Guid SessionId, bool IsBusy);

/// <summary>What must still be true of a session, by the store's clock, for it to begin its end.</summary>
public abstract record EndCondition
{
    private EndCondition()
    {
    }

    /// <summary>It was not used for so long, and nobody holds it busy.</summary>
    public sealed record IdleFor(TimeSpan Time) : EndCondition;

    /// <summary>Its max TTL has passed.</summary>
    public sealed record TtlReached : EndCondition;

    /// <summary>No client session is bound to it, and the last was released so long ago.</summary>
    public sealed record ReleasedFor(TimeSpan Time) : EndCondition;

    /// <summary>Somebody said so, whoever uses it.</summary>
    public sealed record Told(Caller Actor) : EndCondition;
}

/// <summary>
/// The registry of sessions and bindings that all replicas share. Each change is one transaction together with its
/// audit row, and conditional, so that replicas can race: one wins, the others read the result.
/// Times are the store's own clock. A store that cannot be reached is UNAVAILABLE, never an exception.
/// </summary>
public interface ISessionStore
{
    /// <summary>The binding of a client session, tombstones included; null if there never was one (or it is forgotten).</summary>
    Task<Result<BoundSession?>> FindBindingAsync(ClientSessionKey key, CancellationToken cancellation);

    Task<Result<Session?>> FindSessionAsync(Guid id, CancellationToken cancellation);

    /// <summary>The live (Starting or Ready) session of that name, if any.</summary>
    Task<Result<Session?>> FindLiveSessionAsync(SessionName name, CancellationToken cancellation);

    /// <summary>All sessions that are not Ended, oldest first.</summary>
    Task<Result<IReadOnlyList<Session>>> ListLiveAsync(CancellationToken cancellation);

    /// <summary>
    /// Binds the client session to a new session in state Starting, if it has no binding yet; else returns the binding
    /// that is there. Over a limit: RESOURCE_EXHAUSTED, which says who holds how many. Audit: open, bind.
    /// </summary>
    Task<Result<ClaimedBinding>> OpenAsync(NewSession session, ClientSessionKey key, SessionLimits limits, Caller caller, CancellationToken cancellation);

    /// <summary>Binds the client session to a live session, if it has no binding yet; else returns the one that is there. The session gone meanwhile: SessionChanged. Audit: bind.</summary>
    Task<Result<ClaimedBinding>> BindAsync(ClientSessionKey key, Guid sessionId, BoundVia via, Caller caller, CancellationToken cancellation);

    /// <summary>Lets that replica's start of a session go on for store.launch_lease_seconds from now; false: it is no longer that replica's, or over.</summary>
    Task<Result<bool>> RenewLaunchAsync(Guid id, Guid owner, CancellationToken cancellation);

    /// <summary>Makes the start of a session that replica's, if whoever had it did not renew it in time; null: it is in good hands, or over. Audit: adopt.</summary>
    Task<Result<Session?>> TakeOverLaunchAsync(Guid id, Guid owner, CancellationToken cancellation);

    /// <summary>Sessions in state Starting whose start was not renewed in time, oldest first; a bounded number.</summary>
    Task<Result<IReadOnlyList<Session>>> ListLapsedLaunchesAsync(CancellationToken cancellation);

    /// <summary>That replica's start of a session to Ended; null: the session had ended, or another replica has taken it over. Audit: end.</summary>
    Task<Result<Session?>> EndLaunchAsync(Guid id, Guid owner, EndReason reason, string detail, CancellationToken cancellation);

    /// <summary>Starting to Ready, with its max TTL counted from now; any other state, or another owner, is SessionChanged. Audit: ready.</summary>
    Task<Result<Session>> MarkReadyAsync(Guid id, Guid owner, string address, string runtimeId, TimeSpan maxTtl, CancellationToken cancellation);

    /// <summary>Bound to Released. Returns how many bindings of that session are still Bound. Idempotent. Audit: release, once.</summary>
    Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation);

    /// <summary>Stamps the live ones of these sessions as used now; the busy ones stay busy for so long. No time ever goes back.</summary>
    Task<Result<bool>> RecordActivityAsync(IReadOnlyList<SessionActivity> used, TimeSpan busyFor, CancellationToken cancellation);

    /// <summary>Ready on-demand sessions that could end now: unused for so long, without a bound client session, or with no more than so much left until max TTL.</summary>
    Task<Result<IReadOnlyList<SessionUse>>> ListExpiringAsync(TimeSpan idle, TimeSpan left, CancellationToken cancellation);

    /// <summary>Ready to Ending while the condition holds; null if it does not, or the session is not Ready. Audit: ending.</summary>
    Task<Result<Session?>> MarkEndingAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation);

    /// <summary>Sessions that are Ending now, or Ended within that time.</summary>
    Task<Result<IReadOnlyList<Session>>> ListEndingAsync(TimeSpan endedWithin, CancellationToken cancellation);

    /// <summary>Forgets sessions that ended so long ago, with their bindings, and replicas that are long dead; a bounded number each time. Returns how many sessions.</summary>
    Task<Result<int>> PruneAsync(TimeSpan age, CancellationToken cancellation);

    /// <summary>How long ago the last call failed for lack of a store; without one, since the start of this process.</summary>
    TimeSpan SteadyFor { get; }

    /// <summary>Any state to Ended, its bindings too; null if it was Ended already. A reason that Ending has given stays. Audit: end.</summary>
    Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation);

    /// <summary>
    /// Makes the attached drivers of the configuration sessions in state Ready. The same name at another address is another
    /// driver: the old session ends (Replaced) and a new incarnation begins. Returns all of them. Audit: attach.
    /// </summary>
    Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation);

    /// <summary>Ends (Lost) the local sessions whose owner is neither this replica nor one with a recent heartbeat (store.dead_after_seconds), and returns them. Also stamps this replica's heartbeat.</summary>
    Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation);

    /// <summary>Records refused calls: audit only.</summary>
    Task<Result<bool>> RecordDenialAsync(Denial denial, CancellationToken cancellation);
}

/// <summary>One running gateway process. <paramref name="IsOnly"/>: no other process can use this store (SQLite under its file lock), so all others are dead.</summary>
/// <param name="StateDir">Whole path on that host; empty: unknown.</param>
public sealed record Replica(Guid Id, string Host, bool IsOnly, string StateDir = "");
