using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.TendReplica;

namespace SparkGateway.Features.Tests.TendReplica;

public sealed class ReplicaHeartbeatTests
{
    [Fact]
    public async Task Run_EachTenSeconds_BeatsAndClosesWhatIsLost()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        var closed = new TaskCompletionSource<GatewayError>();
        using var watch = route.OnClosed(closed.SetResult);
        using var stop = new CancellationTokenSource();

        var run = world.Get<ReplicaHeartbeat>().RunAsync(stop.Token);
        await world.Time.TimerAsync(TimeSpan.FromSeconds(10), world.Deadline);
        world.Store.LostAtNextHeartbeat.Add(route.Session.Id);
        await world.StepUntilAsync(closed.Task, TimeSpan.FromSeconds(10));

        Assert.Contains("is gone", (await closed.Task).Text, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.SessionChanged, (await closed.Task).Code);
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task Beat_StoreDown_WarnsOnceAndEndsNothing()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        var heart = world.Get<ReplicaHeartbeat>();
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");

        Assert.Equal(ErrorCode.Unavailable, (await heart.BeatAsync(world.Deadline)).Error!.Code);
        await heart.BeatAsync(world.Deadline);

        Assert.Single(world.Logs.Warnings);
        Assert.Null(route.ClosedBy);
        world.Store.Down = null;
        Assert.True((await heart.BeatAsync(world.Deadline)).IsOk);
        Assert.Equal(1, world.Store.Heartbeats);
    }
}
