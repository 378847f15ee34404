using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.EndSession;
using End = SparkGateway.Features.EndSession.EndSession;

namespace SparkGateway.Features.Tests.EndSession;

public sealed class EndSessionTests
{
    [Fact]
    public async Task End_LiveSession_ClosesItsCallsAndStopsItsDriver()
    {
        await using var world = new World();
        var binding = await world.ForwardAsync(World.NewKey());
        var told = new List<GatewayError>();
        using var watch = binding.Route.OnClosed(told.Add);

        var ended = await world.SendAsync(new End.Request(binding.Route.Session.Id, EndReason.ClosedByOperator, "by ops", Caller.Gateway));

        Assert.Equal(SessionState.Ended, ended.Value!.State);
        Assert.Contains("an operator closed it (by ops)", Assert.Single(told).Text, StringComparison.Ordinal);
        Assert.Equal(binding.Route.Session.Id, await world.Platform.NextStopAsync(world.Deadline));
        Assert.Empty(world.Table.Routes);
    }

    [Fact]
    public async Task End_Twice_KeepsTheFirstReason()
    {
        await using var world = new World();
        var key = World.NewKey();
        var id = (await world.ForwardAsync(key)).Route.Session.Id;

        await world.SendAsync(new End.Request(id, EndReason.Idle, "", Caller.Gateway));
        var second = await world.SendAsync(new End.Request(id, EndReason.Crashed, "", Caller.Gateway));

        Assert.True(second.IsOk);
        Assert.Null(second.Value);
        Assert.Equal(EndReason.Idle, world.SessionOf(key).EndReason);
    }

    [Fact]
    public async Task End_EndedByAnotherReplica_ClearsAwayHere()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        await world.Store.EndAsync(route.Session.Id, EndReason.MaxTtl, "", Caller.Gateway, world.Deadline);

        await world.SendAsync(new End.Request(route.Session.Id, EndReason.Crashed, "", Caller.Gateway));

        Assert.Contains("longest time", route.ClosedBy!.Text, StringComparison.Ordinal);
        Assert.Equal(route.Session.Id, await world.Platform.NextStopAsync(world.Deadline));
    }

    [Fact]
    public async Task End_AttachedSession_LeavesItsDriverAlone()
    {
        await using var world = new World();
        var app = await world.AttachAsync();

        await world.SendAsync(new End.Request(app.Id, EndReason.ClosedByOperator, "", Caller.Gateway));

        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task End_UnknownOrEmptyId_IsNoHarm()
    {
        await using var world = new World();

        Assert.Null((await world.SendAsync(new End.Request(Guid.NewGuid(), EndReason.Idle, "", Caller.Gateway))).Value);
        Assert.Equal(ErrorCode.InvalidArgument, (await world.SendAsync(new End.Request(Guid.Empty, EndReason.Idle, "", Caller.Gateway))).Error!.Code);
    }
}

public sealed class DriverExitWatcherTests
{
    [Fact]
    public async Task Run_DriverCrashes_ItsClientsAreToldWithTheLog()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        var closed = new TaskCompletionSource<GatewayError>();
        using var watch = route.OnClosed(closed.SetResult);
        using var stop = new CancellationTokenSource();
        var run = world.Get<DriverExitWatcher>().RunAsync(stop.Token);

        world.Platform.Crash(route.Session.Id, "killed by signal 9", "last words");

        var error = await closed.Task.WaitAsync(world.Deadline);
        Assert.Equal((ErrorCode.SessionChanged, Blame.Driver), (error.Code, error.Blame));
        Assert.Contains("its driver ended by itself (killed by signal 9)", error.Text, StringComparison.Ordinal);
        Assert.EndsWith("last words", error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("last words", (await world.RefusedAsync(key)).Text, StringComparison.Ordinal);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task Run_StoreDown_ClientsAreToldAtOnceAndTheStoreLater()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        var closed = new TaskCompletionSource<GatewayError>();
        using var watch = route.OnClosed(closed.SetResult);
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        using var stop = new CancellationTokenSource();
        var run = world.Get<DriverExitWatcher>().RunAsync(stop.Token);

        world.Platform.Crash(route.Session.Id, "exit code 1", "");
        Assert.Equal(ErrorCode.SessionChanged, (await closed.Task.WaitAsync(world.Deadline)).Code);
        await world.Time.TimerAsync(TimeSpan.FromSeconds(2), world.Deadline);
        world.Store.Down = null;
        world.Time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(route.Session.Id, await world.Platform.NextStopAsync(world.Deadline));
        Assert.Equal(EndReason.Crashed, world.SessionOf(key).EndReason);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }
}
