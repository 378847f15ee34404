using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.TendReplica;

namespace SparkGateway.Features.Tests.TendReplica;

public sealed class SessionFollowerTests
{
    [Fact]
    public async Task Follow_EndingElsewhere_CallsEndHereAndTheOwnerStopsItsDriver()
    {
        await using var owner = new World();
        await using var other = new World(replica: owner);
        var key = World.NewKey();
        var here = (await owner.ForwardAsync(key)).Route;
        var there = (await other.ForwardAsync(key)).Route;
        await using var follower = Following.Start(other);
        await using var own = Following.Start(owner);

        await owner.Store.MarkEndingAsync(here.Session.Id, EndReason.MaxTtl, "", new EndCondition.IdleFor(TimeSpan.Zero), owner.Deadline);

        Assert.Contains("longest time", (await ClosedAsync(follower, there)).Text, StringComparison.Ordinal);
        Assert.Contains("longest time", (await ClosedAsync(own, here)).Text, StringComparison.Ordinal);
        Assert.Equal(here.Session.Id, await owner.StepUntilAsync(owner.Platform.NextStopAsync(owner.Deadline).AsTask(), TimeSpan.FromSeconds(1)));
        Assert.Equal(0, other.Platform.StopsLeft);
    }

    [Fact]
    public async Task Follow_EndedElsewhere_StopsTheDriverOnce()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        await using var follower = Following.Start(world);

        await world.Store.EndAsync(route.Session.Id, EndReason.Released, "", Caller.Gateway, world.Deadline);

        Assert.Equal(ErrorCode.SessionClosed, (await ClosedAsync(follower, route)).Code);
        Assert.Equal(route.Session.Id, await world.Platform.NextStopAsync(world.Deadline));
        await follower.LooksAsync(3);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task Follow_StoreBackAfterLong_LearnsWhatEndedMeanwhile()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        await using var follower = Following.Start(world);
        await world.Store.EndAsync(route.Session.Id, EndReason.MaxTtl, "", Caller.Gateway, world.Deadline);
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        world.Time.Advance(TimeSpan.FromMinutes(30));
        await follower.LooksAsync(2);
        Assert.Null(route.ClosedBy);
        Assert.Single(world.Logs.Warnings);

        world.Store.Down = null;

        Assert.Equal(ErrorCode.SessionChanged, (await ClosedAsync(follower, route)).Code);
    }

    private static async Task<GatewayError> ClosedAsync(Following follower, Route route)
    {
        var closed = new TaskCompletionSource<GatewayError>(TaskCreationOptions.RunContinuationsAsynchronously);
        route.OnClosed(error => closed.TrySetResult(error));
        while (!closed.Task.IsCompleted) await follower.LooksAsync(1);
        return await closed.Task;
    }

    private sealed class Following : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly World world;
        private readonly Task run;

        private Following(World world)
        {
            this.world = world;
            run = world.Get<SessionFollower>().RunAsync(stop.Token);
        }

        public static Following Start(World world) => new(world);

        /// <summary>Steps until the store was asked that often. One step for one look: time that ran ahead of a look would be a store that takes minutes to answer.</summary>
        public async Task LooksAsync(int times)
        {
            for (var goal = world.Store.Looks + times; world.Store.Looks < goal;)
            {
                var before = world.Store.Looks;
                world.Time.Advance(world.Options.FollowEvery);
                while (world.Store.Looks == before)
                {
                    world.Deadline.ThrowIfCancellationRequested();
                    await Task.Yield();
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
            stop.Dispose();
        }
    }
}
