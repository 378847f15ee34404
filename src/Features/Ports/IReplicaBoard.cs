using SparkGateway.Domain;

namespace SparkGateway.Features.Ports;

/// <summary>The calls of one session that a replica relays.</summary>
/// <param name="At">When it told; null: now, by itself.</param>
public sealed record ReplicaCalls(Guid Replica, string Host, int Calls, DateTimeOffset? At);

/// <summary>Where a replica runs, or ran.</summary>
/// <param name="StateDir">On that host; empty: it never told.</param>
public sealed record ReplicaPlace(Guid Replica, string Host, string StateDir);

/// <summary>What replicas tell each other for people to read. Nothing is decided by it, so it may be some seconds old.</summary>
public interface IReplicaBoard
{
    /// <summary>The open calls of this replica by session row id, in the place of what it told before.</summary>
    Task<Result<bool>> TellCallsAsync(Replica self, IReadOnlyDictionary<Guid, int> calls, CancellationToken cancellation);

    /// <summary>What the other live replicas told of that session, if they have calls of it.</summary>
    Task<Result<IReadOnlyList<ReplicaCalls>>> CallsElsewhereAsync(Guid sessionId, Replica self, CancellationToken cancellation);

    /// <summary>Null: it is long dead and forgotten.</summary>
    Task<Result<ReplicaPlace?>> FindReplicaAsync(Guid replica, CancellationToken cancellation);
}
