using SparkGateway.Domain.Routing;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>What the use cases need of the configuration; the host composes it once.</summary>
public sealed record FeatureOptions
{
    public required RoutingPolicy Policy { get; init; }

    /// <summary>This process.</summary>
    public required Replica Self { get; init; }

    public SessionLimits Limits { get; init; } = new(MaxSessions: 100, MaxPerUser: 5);

    /// <summary>How long a driver that another replica starts is waited for; for our own the platform keeps the same limit.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How long a start goes on that nobody waits for.</summary>
    public TimeSpan StartGrace { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long a driver lives on after its last client session was released.</summary>
    public TimeSpan ReleaseLinger { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many sessions a page of a list may hold.</summary>
    public int PageItems { get; init; } = 200;

    /// <summary>How far ahead an operator may move a session's max TTL.</summary>
    public int MaxExtensionHours { get; init; } = 24;

    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromSeconds(10);
}
