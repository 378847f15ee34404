using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>A session that is opened before its client comes: whoever comes first with its client session id has it.</summary>
public sealed record UnclaimedSession(Guid Id, SessionName Name, string Platform, string Team, string Environment, Guid OwnerReplica, string ClientSessionId);

/// <summary>What operators change in the registry, by the same rules as <see cref="ISessionStore"/>: one transaction with its audit row, conditional, on the store's clock.</summary>
public interface IOperatorStore
{
    /// <summary>A session in state Starting that belongs to no user yet. Over the total limit: RESOURCE_EXHAUSTED. Audit: open.</summary>
    Task<Result<Session>> OpenUnclaimedAsync(UnclaimedSession session, SessionLimits limits, Caller actor, CancellationToken cancellation);

    /// <summary>
    /// Binds the client session to the unclaimed session of that id, which then is its user's; null: there is none, or another
    /// user was first. A session that ended unclaimed is claimed too, so that its client reads why. Audit: bind.
    /// </summary>
    Task<Result<BoundSession?>> ClaimAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation);

    /// <summary>Moves max TTL by so many minutes, but to no time further ahead than <paramref name="mostHoursAhead"/>. Audit: extend.</summary>
    Task<Result<Session>> ExtendAsync(Guid id, int minutes, int mostHoursAhead, Caller actor, CancellationToken cancellation);
}
