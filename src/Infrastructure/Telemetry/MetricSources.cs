using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>What the relay has moved since the start, and the connections it has now.</summary>
internal readonly record struct RelayTraffic(int Connections, long UpBytes, long DownBytes);

/// <summary>What the gauges read at each scrape; without a relay nothing is there to read.</summary>
internal sealed record MetricSources
{
    /// <summary>The live on-demand sessions of this replica.</summary>
    public Func<IEnumerable<Session>> Active { get; init; } = static () => [];

    public Func<int> OpenCalls { get; init; } = static () => 0;

    public ParkedTotal? Parked { get; init; }

    public Func<RelayTraffic> Traffic { get; init; } = static () => default;
}
