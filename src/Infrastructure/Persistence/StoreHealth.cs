using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Whether the store answers, for /readyz, and who else uses it.</summary>
public sealed class StoreHealth
{
    private readonly StoreRunner store;
    private readonly int deadAfterSeconds;

    internal StoreHealth(StoreRunner store, int deadAfterSeconds) => (this.store, this.deadAfterSeconds) = (store, deadAfterSeconds);

    public Task<Result<bool>> PingAsync(CancellationToken cancellation) =>
        store.ReadAsync(async db => await db.Turns.AnyAsync(cancellation), cancellation);

    /// <summary>Another host whose replica lives; null: all live replicas are on this one.</summary>
    public Task<Result<string?>> OtherHostAsync(Replica self, CancellationToken cancellation) =>
        store.ReadAsync<string?>(async db => await db.Replicas
            .Where(row => row.Host != self.Host && row.HeartbeatAt > StoreClock.SecondsAgo(deadAfterSeconds))
            .OrderBy(row => row.Host)
            .Select(row => row.Host)
            .FirstOrDefaultAsync(cancellation), cancellation);
}
