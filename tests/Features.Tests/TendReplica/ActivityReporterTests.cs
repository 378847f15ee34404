using SparkGateway.Domain;
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

    private static async Task StepAsync(World world)
    {
        world.Deadline.ThrowIfCancellationRequested();
        world.Time.Advance(world.Options.ActivityEvery);
        await Task.Yield();
    }
}
