using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>The calls of one client session that wait, in the order in which they came; the first of them is being decided.</summary>
internal sealed class ParkedGroup(ClientSessionKey key)
{
    public ClientSessionKey Key { get; } = key;

    public List<ParkedCall> Calls { get; } = [];

    /// <summary>The host's handle of the decision under way; null: none is.</summary>
    public object? Deciding { get; set; }
}

/// <param name="Config">Routing pairs of this call's Config.Set.</param>
/// <param name="IsAbsorbable">That call sets nothing else, and its client is of 3.5.</param>
internal sealed record ParkedCall(RelayedCall Call, RouteHints Config, bool IsAbsorbable);
