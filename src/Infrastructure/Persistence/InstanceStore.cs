using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The one row of `gateway_instance`, which the migration made.</summary>
internal sealed class InstanceStore(StoreRunner store) : IGatewayInstance
{
    public Task<Result<GatewayInstance>> ReadAsync(CancellationToken cancellation) =>
        store.ReadAsync(async db =>
        {
            var read = await db.Instances.Select(row => new { row.InstanceId, row.CreatedAt, Now = StoreClock.Now() }).SingleAsync(cancellation);
            return new GatewayInstance(read.InstanceId, read.Now - read.CreatedAt);
        }, cancellation);
}
