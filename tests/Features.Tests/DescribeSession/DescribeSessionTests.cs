using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using Describe = SparkGateway.Features.DescribeSession.DescribeSession;

namespace SparkGateway.Features.Tests.DescribeSession;

public sealed class DescribeSessionTests
{
    [Fact]
    public async Task Describe_SessionInUse_CountsTheOpenCallsOfThisReplica()
    {
        await using var world = new World();
        var key = World.NewKey();
        var route = (await world.ForwardAsync(key)).Route;
        route.CallOpened();
        route.CallOpened();

        var description = (await world.SendAsync(new Describe.Request(SessionRef.To(route.Session.Id)))).Value;

        Assert.Equal((2, world.Options.Self.Id, null), (Assert.Single(description.OpenCalls).Calls, description.OpenCalls[0].Replica, description.OpenCalls[0].At));
        Assert.Equal(("ann", key.Prefix), (Assert.Single(description.Record.Bindings).User, description.Record.Bindings[0].ClientSessionPrefix));
    }

    [Fact]
    public async Task Describe_CallsOnAnotherReplica_ShowsWhatItTold()
    {
        await using var world = new World();
        await using var other = new World(replica: world);
        var route = (await world.ForwardAsync(World.NewKey())).Route;
        await other.Board.TellCallsAsync(other.Options.Self, new Dictionary<Guid, int> { [route.Session.Id] = 3 }, world.Deadline);

        var description = (await world.SendAsync(new Describe.Request(SessionRef.To(route.Session.Id)))).Value;

        Assert.Equal([(world.Options.Self.Id, 0), (other.Options.Self.Id, 3)], description.OpenCalls.Select(calls => (calls.Replica, calls.Calls)));
    }

    [Fact]
    public async Task Describe_NoSuchSession_SaysSo()
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Describe.Request(SessionRef.Parse("ns/none").Value));

        Assert.Equal(ErrorCode.NoSuchSession, refused.Error!.Code);
    }
}
