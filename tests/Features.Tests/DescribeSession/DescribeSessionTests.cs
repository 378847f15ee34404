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

        Assert.Equal((2, world.Options.Self), (description.OpenCalls, description.Replica));
        Assert.Equal(("ann", key.Prefix), (Assert.Single(description.Record.Bindings).User, description.Record.Bindings[0].ClientSessionPrefix));
    }

    [Fact]
    public async Task Describe_NoSuchSession_SaysSo()
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Describe.Request(SessionRef.Parse("ns/none").Value));

        Assert.Equal(ErrorCode.NoSuchSession, refused.Error!.Code);
    }
}
