using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using Clone = SparkGateway.Features.BindClone.BindClone;

namespace SparkGateway.Features.Tests.BindClone;

public sealed class BindCloneTests
{
    [Fact]
    public async Task Bind_NewId_LeadsToTheSameDriver()
    {
        await using var world = new World();
        var parent = await world.ForwardAsync(World.NewKey());
        var id = Guid.NewGuid().ToString();

        var clone = (await world.SendAsync(new Clone.Request(parent, id, Caller.Gateway))).Value;
        var again = (await world.SendAsync(new Clone.Request(parent, id, Caller.Gateway))).Value;

        Assert.Same(parent.Route, clone.Route);
        Assert.Same(clone, again);
        Assert.Equal((new ClientSessionKey("ann", id), BoundVia.Clone), (clone.Key, clone.Via));
        Assert.Same(clone, await world.ForwardAsync(clone.Key));
    }

    [Fact]
    public async Task Bind_IdOfAnotherSession_IsRefused()
    {
        await using var world = new World();
        var parent = await world.ForwardAsync(World.NewKey());
        var other = await world.ForwardAsync(World.NewKey());

        var clone = await world.SendAsync(new Clone.Request(parent, other.Key.ClientSessionId, Caller.Gateway));

        Assert.Equal(ErrorCode.InvalidArgument, clone.Error!.Code);
        Assert.DoesNotContain(other.Key.ClientSessionId, clone.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_ParentEndedMeanwhile_IsSessionChanged()
    {
        await using var world = new World();
        var parent = await world.ForwardAsync(World.NewKey());
        await world.Store.EndAsync(parent.Route.Session.Id, EndReason.Idle, "", Caller.Gateway, world.Deadline);

        var clone = await world.SendAsync(new Clone.Request(parent, Guid.NewGuid().ToString(), Caller.Gateway));

        Assert.Equal(ErrorCode.SessionChanged, clone.Error!.Code);
    }
}
