using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using Expire = SparkGateway.Features.ExpireSessions.ExpireSessions;

namespace SparkGateway.Features.Tests.ExpireSessions;

public sealed class ExpireSessionsTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Expire_IdleSession_EndsItsCallsThenItsDriverThenTheSession()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        world.Time.Advance(Idle - Moment);
        Assert.Equal(0, (await RunAsync(world)).Retired);
        world.Time.Advance(Moment);

        Assert.Equal(1, (await RunAsync(world)).Retired);

        Assert.Equal(ErrorCode.SessionChanged, route.ClosedBy!.Code);
        Assert.Contains("idle timeout (30 minutes, last used at", route.ClosedBy.Text, StringComparison.Ordinal);
        Assert.Equal(SessionState.Ending, world.SessionOf(key).State);
        await GraceAsync(world, route.Session.Id);
        await EndedAsync(world, key, EndReason.Idle);
        Assert.Contains("has ended at ", (await world.RefusedAsync(key)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expire_SilentOpenCall_IsActivityUntilItEnds()
    {
        await using var world = new World();
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        route.CallOpened();
        world.Time.Advance(2 * Idle);
        Assert.Equal(0, (await RunAsync(world)).Retired);
        world.Time.Advance(Idle / 2);
        route.CallEnded();
        Assert.Equal(0, (await RunAsync(world)).Retired);

        world.Time.Advance(Idle - Moment);
        Assert.Equal(0, (await RunAsync(world)).Retired);
        world.Time.Advance(Moment);

        Assert.Equal(1, (await RunAsync(world)).Retired);
    }

    [Fact]
    public async Task Expire_BrokenCall_KeepsTheSessionForTheBusyGrace()
    {
        await using var world = new World(options => options with { Expiry = Limits(TimeSpan.FromMinutes(1), TimeSpan.FromHours(4)) });
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        route.CallOpened();
        route.CallEnded(isBroken: true);
        await RunAsync(world);

        world.Time.Advance(world.Options.BusyGrace - Moment);
        Assert.Equal(0, (await RunAsync(world)).Retired);
        world.Time.Advance(Moment);

        Assert.Equal(1, (await RunAsync(world)).Retired);
    }

    [Fact]
    public async Task Expire_MaxTtl_EndsItWhateverItDoes()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        route.CallOpened();
        world.Time.Advance(TimeSpan.FromHours(4) - TimeSpan.FromMinutes(5));
        Assert.Equal(new Expire.Outcome(0, 0, 0, NearMaxTtl: 1), await RunAsync(world));
        world.Time.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(1, (await RunAsync(world)).Retired);

        Assert.Contains("longest time that a session may live (it was ready since", route.ClosedBy!.Text, StringComparison.Ordinal);
        await GraceAsync(world, route.Session.Id);
        await EndedAsync(world, key, EndReason.MaxTtl);
    }

    [Fact]
    public async Task Expire_TeamWithLimitsOfItsOwn_GoesByThem()
    {
        var ownLimits = new ExpiryPolicy { Teams = new Dictionary<TeamRef, ExpiryLimits> { [new("data", "dev")] = new(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)) } };
        await using var world = new World(options => options with { Expiry = ownLimits });
        var own = World.NewKey();
        var other = World.NewKey();
        await world.ForwardAsync(own);
        await world.ForwardAsync(other, headers: new(null, null, "ml", "dev"));
        Assert.Equal(TimeSpan.FromHours(1), world.SessionOf(own).MaxTtlAt - world.SessionOf(own).ReadyAt);
        world.Time.Advance(TimeSpan.FromMinutes(1));

        await RunAsync(world);

        Assert.Equal((SessionState.Ending, SessionState.Ready), (world.SessionOf(own).State, world.SessionOf(other).State));
    }

    [Fact]
    public async Task Expire_StoreFailedLately_OnlyMaxTtlCounts()
    {
        await using var world = new World();
        await world.ForwardAsync(World.NewKey());
        world.Store.SteadyFor = world.Options.ExpiryHold - Moment;
        world.Time.Advance(2 * Idle);
        Assert.Equal(0, (await RunAsync(world)).Retired);

        world.Time.Advance(TimeSpan.FromHours(3));

        Assert.Equal(1, (await RunAsync(world)).Retired);
    }

    [Fact]
    public async Task Expire_StoreDown_EndsNothingAndTheActivityIsToldLater()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        world.Time.Advance(Idle);
        route.CallOpened();
        route.CallEnded();
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        Assert.Equal(ErrorCode.Unavailable, (await world.SendAsync(new Expire.Request())).Error!.Code);

        world.Store.Down = null;

        Assert.Equal(0, (await RunAsync(world)).Retired);
        Assert.Equal(world.Time.GetUtcNow(), world.SessionOf(key).LastActivityAt);
    }

    [Fact]
    public async Task Expire_ReleasedBeforeARestart_EndsAfterTheLinger()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        await world.Store.ReleaseAsync(key, Caller.Gateway, world.Deadline);
        world.Time.Advance(world.Options.Expiry.ReleaseLinger - Moment);
        Assert.Equal(0, (await RunAsync(world)).Retired);
        world.Time.Advance(Moment);

        Assert.Equal(1, (await RunAsync(world)).Retired);

        Assert.Equal(ErrorCode.SessionClosed, route.ClosedBy!.Code);
        await GraceAsync(world, route.Session.Id);
        await EndedAsync(world, key, EndReason.Released);
    }

    [Fact]
    public async Task Expire_LeftInEndingByACrash_IsTakenUpAgain()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        await world.Store.MarkEndingAsync(route.Session.Id, EndReason.Idle, "", new EndCondition.IdleFor(TimeSpan.Zero), world.Deadline);

        Assert.Equal(1, (await RunAsync(world)).Resumed);
        Assert.Equal(1, (await RunAsync(world)).Resumed);

        await GraceAsync(world, route.Session.Id);
        await EndedAsync(world, key, EndReason.Idle);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task Expire_LocalDriverOfAnotherReplica_IsLeftToItsOwner()
    {
        await using var owner = new World();
        await using var other = new World(replica: owner);
        var key = World.NewKey();
        await owner.ForwardAsync(key);
        var elsewhere = (await other.ForwardAsync(key)).Route;
        owner.Time.Advance(Idle);

        Assert.Equal(1, (await RunAsync(other)).Retired);
        Assert.Equal(0, (await RunAsync(other)).Resumed);
        Assert.NotNull(elsewhere.ClosedBy);
        Assert.Equal(0, other.Get<TrackedTasks>().Count);
        Assert.Equal(1, (await RunAsync(owner)).Resumed);

        await GraceAsync(owner, elsewhere.Session.Id);
        await EndedAsync(owner, key, EndReason.Idle);
        Assert.Equal(0, other.Platform.StopsLeft);
    }

    [Fact]
    public async Task Expire_AttachedSession_NeverEnds()
    {
        await using var world = new World();
        await world.AttachAsync();
        await world.ForwardAsync(World.NewKey(), headers: new("app", "ns", null, null));
        world.Time.Advance(TimeSpan.FromDays(30));

        Assert.Equal(new Expire.Outcome(0, 0, 0, 0), await RunAsync(world));
    }

    [Fact]
    public async Task Expire_OldTombstone_IsForgotten()
    {
        await using var world = new World();
        var key = World.NewKey();
        var id = (await world.ForwardAsync(key)).Route.Session.Id;
        await world.Store.EndAsync(id, EndReason.Crashed, "", Caller.Gateway, world.Deadline);
        world.Time.Advance(world.Options.TombstoneAge - Moment);
        Assert.Equal(0, (await RunAsync(world)).Pruned);
        world.Time.Advance(Moment);

        Assert.Equal(1, (await RunAsync(world)).Pruned);

        Assert.Null(world.Store.BindingOf(key));
    }

    private static ExpiryPolicy Limits(TimeSpan idle, TimeSpan maxTtl) => new() { Limits = new(idle, maxTtl) };

    private static async Task<Expire.Outcome> RunAsync(World world) => (await world.SendAsync(new Expire.Request())).Value;

    private static async Task GraceAsync(World world, Guid session)
    {
        await world.Time.TimerAsync(world.Options.EndingGrace, world.Deadline);
        Assert.Equal(0, world.Platform.StopsLeft);
        world.Time.Advance(world.Options.EndingGrace);
        Assert.Equal(session, await world.Platform.NextStopAsync(world.Deadline));
    }

    private static async Task EndedAsync(World world, ClientSessionKey key, EndReason reason)
    {
        while (world.Get<TrackedTasks>().Count > 0)
        {
            world.Deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal((SessionState.Ended, reason), (world.SessionOf(key).State, world.SessionOf(key).EndReason));
    }
}
