using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using List = SparkGateway.Features.ListSessions.ListSessions;

namespace SparkGateway.Features.Tests.ListSessions;

public sealed class ListSessionsTests
{
    [Fact]
    public async Task List_PageByPage_HasEachSessionOnce()
    {
        await using var world = new World(options => options with { PageItems = 2 });
        for (var i = 0; i < 5; i++) await world.ForwardAsync(World.NewKey($"user{i}"));

        var seen = new List<Guid>();
        var sizes = new List<int>();
        SessionPageKey? after = null;
        do
        {
            var page = (await world.SendAsync(new List.Request(new SessionFilter(), after))).Value;
            seen.AddRange(page.Items.Select(session => session.Id));
            sizes.Add(page.Items.Count);
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal([2, 2, 1], sizes);
        Assert.Equal(world.Store.Sessions.Select(session => session.Id).Order(), seen.Order());
    }

    [Fact]
    public async Task List_SeveralFaults_NamesThemAll()
    {
        await using var world = new World(options => options with { PageItems = 10 });

        var refused = await world.SendAsync(new List.Request(new SessionFilter(Team: "A", Namespace: "b_", User: new string('u', 1_025)), Limit: 11));

        Assert.Equal(ErrorCode.InvalidArgument, refused.Error!.Code);
        Assert.Equal(["limit", "namespace", "team", "user"], refused.Error.Faults.Select(fault => fault.Field).Order());
    }
}
