using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Whether the store answers, for /readyz.</summary>
public sealed class StoreHealth
{
    private readonly StoreRunner store;

    internal StoreHealth(StoreRunner store) => this.store = store;

    public Task<Result<bool>> PingAsync(CancellationToken cancellation) =>
        store.ReadAsync(async db => await db.Turns.AnyAsync(cancellation), cancellation);
}
