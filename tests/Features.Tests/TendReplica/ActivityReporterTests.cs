using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Features.TendReplica;

namespace SparkGateway.Features.Tests.TendReplica;

public sealed class ActivityReporterTests
{
    [Fact]
    public async Task Run_UsedAndUnusedSessions_WritesTheUsedOnesOnce()
    {
        await using var world = new World();
        var busy = World.NewKey();
        var used = World.NewKey();
        var unused = World.NewKey();
        (await world.ForwardAsync(busy)).Route.CallOpened();
        var route = (await world.ForwardAsync(used)).Route;
        route.CallOpened();
        route.CallEnded();
        await world.ForwardAsync(unused);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        var flusher = world.Get<ActivityFlusher>();

        await flusher.FlushAsync(world.Deadline);
        var first = world.Time.GetUtcNow();
        world.Time.Advance(TimeSpan.FromMinutes(1));
        await flusher.FlushAsync(world.Deadline);

        Assert.Equal((world.Time.GetUtcNow(), world.Time.GetUtcNow() + world.Options.BusyGrace), (world.SessionOf(busy).LastActivityAt, world.SessionOf(busy).BusyUntil));
        Assert.Equal((first, null), (world.SessionOf(used).LastActivityAt, world.SessionOf(used).BusyUntil));
        Assert.Equal(world.SessionOf(unused).ReadyAt, world.SessionOf(unused).LastActivityAt);
    }

    [Fact]
    public async Task Run_StoreDown_WarnsOnceAndWritesLater()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        route.CallOpened();
        route.CallEnded();
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        using var stop = new CancellationTokenSource();
        var run = world.Get<ActivityReporter>().RunAsync(stop.Token);
        while (world.Store.Refused < 2) await StepAsync(world);

        world.Store.Down = null;
        while (world.SessionOf(key).LastActivityAt == world.SessionOf(key).ReadyAt) await StepAsync(world);

        Assert.Single(world.Logs.Warnings);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task Run_OpenCalls_AreToldUntilThereAreNone()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        route.CallOpened();
        route.CallOpened();
        using var stop = new CancellationTokenSource();
        var run = world.Get<ActivityReporter>().RunAsync(stop.Token);
        var elsewhere = new Replica(Guid.NewGuid(), "other", IsOnly: false);

        while (world.Board.Tellings == 0) await StepAsync(world);
        Assert.Equal(2, Assert.Single((await world.Board.CallsElsewhereAsync(route.Session.Id, elsewhere, world.Deadline)).Value).Calls);
        route.CallEnded();
        route.CallEnded();
        while ((await world.Board.CallsElsewhereAsync(route.Session.Id, elsewhere, world.Deadline)).Value.Count > 0) await StepAsync(world);
        var tellings = world.Board.Tellings;
        for (var n = 0; n < 5; n++) await StepAsync(world);

        Assert.Equal(tellings, world.Board.Tellings);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private static async Task StepAsync(World world)
    {
        world.Deadline.ThrowIfCancellationRequested();
        world.Time.Advance(world.Options.ActivityEvery);
        await Task.Yield();
    }
}
