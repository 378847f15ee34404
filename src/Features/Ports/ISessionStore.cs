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

    /// <summary>Starting to Ready; any other state is SessionChanged. Audit: ready.</summary>
    Task<Result<Session>> MarkReadyAsync(Guid id, string address, string runtimeId, CancellationToken cancellation);

    /// <summary>Bound to Released. Returns how many bindings of that session are still Bound. Idempotent. Audit: release, once.</summary>
    Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation);

    /// <summary>Any state to Ended, its bindings too; null if it was Ended already. <paramref name="onlyWithoutBindings"/>: only while no binding is Bound. Audit: end.</summary>
    Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, bool onlyWithoutBindings, Caller actor, CancellationToken cancellation);

    /// <summary>
    /// Makes the attached drivers of the configuration sessions in state Ready. The same name at another address is another
    /// driver: the old session ends (Replaced) and a new incarnation begins. Returns all of them. Audit: attach.
    /// </summary>
    Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation);

    /// <summary>Ends (Lost) the local sessions whose owner is neither this replica nor one with a heartbeat of the last 60 s, and returns them. Also stamps this replica's heartbeat.</summary>
    Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation);

    /// <summary>Records a refused call: audit only.</summary>
    Task<Result<bool>> RecordDenialAsync(ClientSessionKey key, string reason, Caller caller, CancellationToken cancellation);
}

/// <summary>One running gateway process. <paramref name="IsOnly"/>: no other process can use this store (SQLite under its file lock), so all others are dead.</summary>
public sealed record Replica(Guid Id, string Host, bool IsOnly);
