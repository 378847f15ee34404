using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;
using End = SparkGateway.Features.EndSession.EndSession;

namespace SparkGateway.Features.Tests.RelayStream;

public sealed class SharingTests
{
    private static readonly RouteHints New = new("new", null, null, null);
    private static readonly RouteHints Team = new(null, null, "ml", "dev");

    [Fact]
    public async Task Admit_SecondSessionOfAConnection_Shares()
    {
        await using var world = new World();
        var connection = new ConnectionContext();

        var first = await world.ForwardAsync(World.NewKey(), connection);
        var second = await world.ForwardAsync(World.NewKey(), connection);

        Assert.Same(first.Route, second.Route);
        Assert.Equal(BoundVia.Connection, second.Via);
        Assert.Single(world.Platform.Launched);
    }

    [Fact]
    public async Task Admit_SecondSessionWhileTheFirstStarts_WaitsForTheSameStart()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var connection = new ConnectionContext();

        var first = world.AdmitAsync(World.NewKey(), connection);
        var second = world.AdmitAsync(World.NewKey(), connection);
        (await world.Platform.NextLaunchAsync(world.Deadline)).Succeed();
        await Task.WhenAll(first, second);

        Assert.Same(Assert.IsType<Admission.Forward>((await first).Value).Binding.Route, Assert.IsType<Admission.Forward>((await second).Value).Binding.Route);
        Assert.Single(world.Platform.Launched);
    }

    [Fact]
    public async Task Admit_AfterTheFirstSessionEnded_OpensAnother()
    {
        await using var world = new World();
        var connection = new ConnectionContext();
        var first = await world.ForwardAsync(World.NewKey(), connection);
        await world.SendAsync(new End.Request(first.Route.Session.Id, EndReason.ClosedByOperator, "", Caller.Gateway));

        var second = await world.ForwardAsync(World.NewKey(), connection);

        Assert.NotSame(first.Route, second.Route);
        Assert.Equal(BoundVia.OnDemand, second.Via);
    }

    [Fact]
    public async Task Admit_BoundSessionOnANewConnection_IsFollowedThere()
    {
        await using var world = new World();
        var key = World.NewKey();
        var first = await world.ForwardAsync(key);
        var connection = new ConnectionContext();

        await world.ForwardAsync(key, connection);
        var second = await world.ForwardAsync(World.NewKey(), connection);

        Assert.Same(first.Route, second.Route);
    }

    [Fact]
    public async Task Admit_AttachedSessionOfAConnection_IsNotFollowed()
    {
        await using var world = new World();
        await world.AttachAsync();
        var connection = new ConnectionContext();

        await world.ForwardAsync(World.NewKey(), connection, new("app", "ns", null, null));
        var second = await world.ForwardAsync(World.NewKey(), connection);

        Assert.Equal(BoundVia.OnDemand, second.Via);
    }

    public static TheoryData<string> Conditions => ["share_connection off", "may be shared", "another user", "no user", "explicit new", "other headers"];

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task Admit_AnyConditionMissing_OpensItsOwn(string condition)
    {
        await using var world = new World(options => options with { Policy = options.Policy with { ShareConnection = condition != "share_connection off" } });
        var connection = new ConnectionContext();
        var user = condition == "no user" ? "" : "ann";
        var first = await world.ForwardAsync(World.NewKey(user), connection);
        connection.MayBeShared = condition == "may be shared";

        var second = await world.ForwardAsync(
            World.NewKey(condition == "another user" ? "bob" : user),
            connection,
            condition switch { "explicit new" => New, "other headers" => Team, _ => null });

        Assert.NotSame(first.Route, second.Route);
        Assert.Equal(2, world.Platform.Launched.Count);
    }
}
