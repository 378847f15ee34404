using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
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

    /// <summary>When sessions end by themselves.</summary>
    public ExpiryPolicy Expiry { get; init; } = new();

    /// <summary>No session ends as idle for so long after a start or a failed call of the store: its use may be known to no store yet.</summary>
    public TimeSpan ExpiryHold { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Whether an idle session whose driver still works is kept.</summary>
    public bool ProtectRunningQueries { get; init; }

    /// <summary>How long a session counts as used after it was last seen with open calls, or with one that broke.</summary>
    public TimeSpan BusyGrace { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between the decision to end a session and the end of its driver: all replicas tell their clients why.</summary>
    public TimeSpan EndingGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long before max TTL it is announced.</summary>
    public TimeSpan TtlNotice { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long ended sessions are remembered.</summary>
    public TimeSpan TombstoneAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How long a driver may be without a session, or a session without a driver, before it is cleared away.</summary>
    public TimeSpan OrphanGrace { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How many sessions a page of a list may hold.</summary>
    public int PageItems { get; init; } = 200;

    /// <summary>How far ahead an operator may move a session's max TTL.</summary>
    public int MaxExtensionHours { get; init; } = 24;

    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a replica says that it still starts a driver, and asks whether another still does: a third of the lease.</summary>
    public TimeSpan LaunchRenewEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the use of sessions is written down.</summary>
    public TimeSpan ActivityEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the store is asked which sessions end.</summary>
    public TimeSpan FollowEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For changes that must reach the store: how often, and how long between.</summary>
    public int StoreAttempts { get; init; } = 300;

    public TimeSpan StoreRetryEvery { get; init; } = TimeSpan.FromSeconds(2);
}
