using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Whether the store answers, for /readyz, and who else uses it.</summary>
public sealed class StoreHealth
{
    private readonly StoreRunner store;

    internal StoreHealth(StoreRunner store) => this.store = store;

    public Task<Result<bool>> PingAsync(CancellationToken cancellation) =>
        store.ReadAsync(async db => await db.Turns.AnyAsync(cancellation), cancellation);

    /// <summary>Another host whose replica lives; null: all live replicas are on this one.</summary>
    public Task<Result<string?>> OtherHostAsync(Replica self, CancellationToken cancellation) =>
        store.ReadAsync<string?>(async db => await db.Replicas
            .Where(row => row.Host != self.Host && row.HeartbeatAt > StoreClock.SecondsAgo(SessionStore.DeadAfterSeconds))
            .OrderBy(row => row.Host)
            .Select(row => row.Host)
            .FirstOrDefaultAsync(cancellation), cancellation);
}
