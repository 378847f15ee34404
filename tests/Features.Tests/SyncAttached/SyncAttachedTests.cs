using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using Sync = SparkGateway.Features.SyncAttached.SyncAttached;

namespace SparkGateway.Features.Tests.SyncAttached;

public sealed class SyncAttachedTests
{
    private static readonly RouteHints App = new("app", "ns", null, null);

    [Fact]
    public async Task Sync_SameList_KeepsTheRoute()
    {
        await using var world = new World();
        await world.AttachAsync();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key, headers: App)).Route;

        await world.AttachAsync();

        Assert.Same(route, (await world.ForwardAsync(key)).Route);
    }

    [Fact]
    public async Task Sync_AnotherAddress_TellsOldClientsAndNeverMovesThem()
    {
        await using var world = new World();
        await world.AttachAsync();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key, headers: App)).Route;

        await world.AttachAsync(address: "10.0.0.10:15002");

        Assert.Equal(ErrorCode.SessionChanged, route.ClosedBy!.Code);
        Assert.Equal(ErrorCode.SessionChanged, (await world.RefusedAsync(key, headers: App)).Code);
        Assert.Equal("10.0.0.10:15002", (await world.ForwardAsync(World.NewKey(), headers: App)).Route.Address);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task Sync_EmptyList_LeavesOnDemandRoutesAlone()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;

        await world.SendAsync(new Sync.Request([]));

        Assert.Null(route.ClosedBy);
    }
}
