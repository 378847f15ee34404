using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>Drivers on a platform as the test lists them.</summary>
public sealed class FakeDriverInventory : IDriverInventory
{
    /// <summary>What is known here, perhaps late.</summary>
    public List<InventoryEntry> Known { get; } = [];

    /// <summary>Sessions whose driver exists although it is not known here.</summary>
    public HashSet<Guid> Unseen { get; } = [];

    public List<InventoryEntry> Removed { get; } = [];

    public GatewayError? NotSynced { get; set; }

    public Result<IReadOnlyList<InventoryEntry>> List() => NotSynced is { } error ? error : Result<IReadOnlyList<InventoryEntry>>.Ok([.. Known]);

    public Task<Result<bool>> ExistsAsync(Session session, CancellationToken cancellation) =>
        Task.FromResult<Result<bool>>(Unseen.Contains(session.Id) || Known.Any(entry => entry.SessionId == session.Id && entry.IsRunning));

    public Task<Result<bool>> RemoveAsync(InventoryEntry entry, CancellationToken cancellation)
    {
        Removed.Add(entry);
        return Task.FromResult<Result<bool>>(Known.Remove(entry));
    }

    public InventoryEntry Add(Guid sessionId, bool isRunning = true)
    {
        var entry = new InventoryEntry(sessionId, new SessionName("ns", $"driver-{Known.Count}"), $"uid-{sessionId}", isRunning);
        Known.Add(entry);
        return entry;
    }
}

/// <summary>An old gateway, unless the test says otherwise.</summary>
public sealed class FakeGatewayInstance : IGatewayInstance
{
    public Guid Id { get; set; }

    public TimeSpan Age { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Set while the store cannot be read.</summary>
    public GatewayError? Unread { get; set; }

    public Task<Result<GatewayInstance>> ReadAsync(CancellationToken cancellation) =>
        Task.FromResult<Result<GatewayInstance>>(Unread is { } error ? error : new GatewayInstance(Id, Age));
}

/// <summary>Sessions that are over although the store has no row of them.</summary>
public sealed class FakeSessionHistory : ISessionHistory
{
    public HashSet<Guid> Ended { get; } = [];

    public Task<Result<bool>> HasEndedAsync(Guid sessionId, CancellationToken cancellation) => Task.FromResult<Result<bool>>(Ended.Contains(sessionId));
}
