using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>
/// The live routes of this replica and the client sessions that lead to them. Reads are lock-free and allocate nothing.
/// A closed route leaves the table together with its bindings: the store remembers them.
/// </summary>
public interface IRouteTable
{
    /// <summary>The hot path: the parts of the key as the message holds them, UTF-8.</summary>
    LiveBinding? Find(ReadOnlySpan<byte> userId, ReadOnlySpan<byte> clientSessionId);

    LiveBinding? Find(ClientSessionKey key);

    Route? FindRoute(Guid sessionId);

    IReadOnlyCollection<Route> Routes { get; }

    /// <summary>Adds the route unless that session has one already; returns the one in force.</summary>
    Route Publish(Route route);

    /// <summary>Adds the binding unless the key has one already; returns the one in force.</summary>
    LiveBinding Bind(ClientSessionKey key, Route route, BoundVia via);

    /// <summary>Closes the route of that session with the reason, and forgets it and its bindings.</summary>
    void Close(Guid sessionId, Domain.GatewayError reason);
}

/// <summary>Brings a session from Starting to Ready: one launch, any number of waiters.</summary>
public interface ISessionStarter
{
    /// <summary>Called by the winner of a claim: launches the driver in the background, once.</summary>
    void Begin(Session session);

    /// <summary>Completes with the live route, or with the reason why there is none. Cancelling stops the waiting, not the launch.</summary>
    Task<Domain.Result<Route>> WaitReadyAsync(Session session, CancellationToken waiter);

    /// <summary>Starts whose replica fell silent and for which nobody may wait any more: begun anew here, or ended if they were this replica's. Returns how many.</summary>
    Task<Domain.Result<int>> TakeUpLapsedAsync(CancellationToken cancellation);
}
