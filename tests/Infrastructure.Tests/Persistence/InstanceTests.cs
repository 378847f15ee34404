using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class InstanceTests
{
    [Theory, EachStore]
    public async Task Instance_OfOneStore_IsTheSameForAllItsProcesses(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await ReadAsync(store.First);

        var second = await ReadAsync(store.AddProcess());

        Assert.NotEqual(Guid.Empty, first.Id);
        Assert.Equal(first.Id, second.Id);
        await using var other = await TestStore.CreateAsync(kind);
        Assert.NotEqual(first.Id, (await ReadAsync(other.First)).Id);
    }

    [Theory, EachStore]
    public async Task Instance_Age_IsCountedByTheStoresClock(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        Assert.InRange((await ReadAsync(store.First)).Age, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(10));

        await store.ExecuteAsync($"UPDATE gateway_instance SET created_at = {store.Ago(7_200)}");

        Assert.InRange((await ReadAsync(store.First)).Age, TimeSpan.FromHours(2), TimeSpan.FromHours(3));
    }

    private static async Task<GatewayInstance> ReadAsync(IServiceProvider process) =>
        (await process.GetRequiredService<IGatewayInstance>().ReadAsync(CancellationToken.None)).Value;
}
