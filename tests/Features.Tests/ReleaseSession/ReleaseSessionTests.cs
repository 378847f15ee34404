using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using Release = SparkGateway.Features.ReleaseSession.ReleaseSession;

namespace SparkGateway.Features.Tests.ReleaseSession;

public sealed class ReleaseSessionTests
{
    private static readonly TimeSpan Linger = new FeatureOptions { Policy = null!, Self = null! }.Expiry.ReleaseLinger;

    [Fact]
    public async Task Release_LastBinding_EndsTheDriverAfterTheLinger()
    {
        await using var world = new World();
        var key = World.NewKey();
        var binding = await world.ForwardAsync(key);
        await ReleaseAsync(world, binding);
        Assert.True(binding.IsReleased);

        world.Time.Advance(Linger - TimeSpan.FromSeconds(1));
        Assert.Null(binding.Route.ClosedBy);
        world.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(binding.Route.Session.Id, await StoppedAsync(world));
        Assert.Equal(ErrorCode.SessionClosed, binding.Route.ClosedBy!.Code);
        Assert.Null(world.Table.Find(key));
        Assert.Equal(EndReason.Released, world.SessionOf(key).EndReason);
        Assert.Equal(ErrorCode.SessionClosed, (await world.RefusedAsync(key)).Code);
    }

    [Fact]
    public async Task Release_NewBindingInTheLinger_KeepsTheDriver()
    {
        await using var world = new World();
        var connection = new ConnectionContext();
        var first = await world.ForwardAsync(World.NewKey(), connection);
        await ReleaseAsync(world, first);
        await world.ForwardAsync(World.NewKey(), connection);

        world.Time.Advance(Linger);
        await DrainAsync(world);

        Assert.Null(first.Route.ClosedBy);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task Release_AgainInTheLinger_CountsFromTheLatest()
    {
        await using var world = new World();
        var connection = new ConnectionContext();
        var first = await world.ForwardAsync(World.NewKey(), connection);
        await ReleaseAsync(world, first);
        world.Time.Advance(Linger / 2);
        await ReleaseAsync(world, await world.ForwardAsync(World.NewKey(), connection));

        world.Time.Advance(Linger / 2);
        await DrainAsync(world, left: 1);
        Assert.Null(first.Route.ClosedBy);
        world.Time.Advance(Linger / 2);

        Assert.Equal(first.Route.Session.Id, await StoppedAsync(world));
    }

    [Fact]
    public async Task Release_OthersStillBound_StartsNoLinger()
    {
        await using var world = new World();
        var connection = new ConnectionContext();
        var first = await world.ForwardAsync(World.NewKey(), connection);
        await world.ForwardAsync(World.NewKey(), connection);

        var release = await world.SendAsync(new Release.Request(first, Caller.Gateway));

        Assert.Equal(1, release.Value);
        Assert.Equal(0, world.Get<TrackedTasks>().Count);
    }

    [Fact]
    public async Task Release_AttachedSession_IsNeverEnded()
    {
        await using var world = new World();
        await world.AttachAsync();
        var binding = await world.ForwardAsync(World.NewKey(), headers: new("app", "ns", null, null));

        await world.SendAsync(new Release.Request(binding, Caller.Gateway));

        Assert.Equal(0, world.Get<TrackedTasks>().Count);
    }

    private static async Task ReleaseAsync(World world, LiveBinding binding)
    {
        Assert.Equal(0, (await world.SendAsync(new Release.Request(binding, Caller.Gateway))).Value);
        await world.Time.TimerAsync(Linger, world.Deadline);
    }

    private static async Task<Guid> StoppedAsync(World world)
    {
        await world.Time.TimerAsync(world.Options.EndingGrace, world.Deadline);
        world.Time.Advance(world.Options.EndingGrace);
        return await world.Platform.NextStopAsync(world.Deadline);
    }

    private static async Task DrainAsync(World world, int left = 0)
    {
        while (world.Get<TrackedTasks>().Count > left)
        {
            world.Deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
