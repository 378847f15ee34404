using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Transport;

namespace SparkGateway.Infrastructure.Relay;

/// <summary>Whether a client that connects now would be let in.</summary>
internal sealed class RelayReadiness(RelayServer server, GatewayOptions options) : IReadinessCheck
{
    public string Name => "listeners";

    public ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation) => ValueTask.FromResult(Check());

    private ReadinessResult Check()
    {
        var where = $"spark_connect on port {options.SparkConnect.Port}";
        if (!server.IsListening) return ReadinessResult.NotReady($"{where} takes no connections");
        var (open, most) = (server.ReadTraffic().Connections, options.Relay.MaxConnections);
        return open < most ? ReadinessResult.Ready($"{where}, {open} of {most} connections") : ReadinessResult.NotReady($"{where} is full: {open} connections (relay.max_connections)");
    }
}
