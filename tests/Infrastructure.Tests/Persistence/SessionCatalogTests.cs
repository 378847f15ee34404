using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class SessionCatalogTests
{
    [Theory, EachStore]
    public async Task List_PageByPage_HasEachSessionOnceInOrderOfItsName(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        foreach (var (space, name) in new[] { ("b", "x"), ("a", "y"), ("a", "x"), ("b", "a"), ("c", "a") }) await AddAsync(store, space, name);

        // The second driver of a name that was used before.
        var first = (await CatalogOf(store).FindAsync(SessionRef.Parse("b/a").Value, CancellationToken.None)).Value!;
        await store.Sessions.EndAsync(first.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        await AddAsync(store, "b", "a");

        var pages = await PagesAsync(store, new SessionFilter(States: SessionStates.All), 2);

        Assert.Equal([2, 2, 2], pages.Select(page => page.Count));
        Assert.Equal(["a/x 1", "a/y 1", "b/a 1", "b/a 2", "b/x 1", "c/a 1"], pages.SelectMany(page => page).Select(session => $"{session.Name} {session.Incarnation}"));
    }

    [Theory, EachStore]
    public async Task List_KeyOfASessionThatIsForgotten_GoesOnBehindIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await AddAsync(store, "a", "z");

        var page = (await CatalogOf(store).ListAsync(new SessionFilter(), new SessionPageKey(new SessionName("a", "k"), 7), 10, CancellationToken.None)).Value;

        Assert.Equal("a/z", $"{Assert.Single(page.Items).Name}");
        Assert.Null(page.Next);
    }

    [Theory, EachStore]
    public async Task List_Filters_AreAllThatTheySay(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var alices = (await store.OpenReadyAsync("alice")).Session;
        var bobs = (await store.OpenAsync("bob")).Session;
        var ended = (await store.OpenAsync("carol")).Session;
        await store.Sessions.EndAsync(ended.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        var attached = (await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "app"), "h:1", null)], CancellationToken.None)).Value.Single();
        await store.Sessions.BindAsync(TestStore.Key("bob"), attached.Id, BoundVia.Header, TestStore.Alice, CancellationToken.None);

        await AssertListed(new SessionFilter(), alices, bobs, attached);
        await AssertListed(new SessionFilter(User: "bob"), bobs, attached);
        await AssertListed(new SessionFilter(User: "nobody"));
        await AssertListed(new SessionFilter(Team: "ml"), alices, bobs);
        await AssertListed(new SessionFilter(Namespace: "byod"), attached);
        await AssertListed(new SessionFilter(States: SessionStates.Starting), bobs);
        await AssertListed(new SessionFilter(States: SessionStates.Ready), alices, attached);
        await AssertListed(new SessionFilter(States: SessionStates.Ended), ended);
        await AssertListed(new SessionFilter(States: SessionStates.All), alices, bobs, ended, attached);
        await AssertListed(new SessionFilter(Team: "ml", User: "bob", Namespace: "byod"));

        async Task AssertListed(SessionFilter filter, params Session[] expected)
        {
            var page = (await CatalogOf(store).ListAsync(filter, null, 100, CancellationToken.None)).Value;
            Assert.Equal(expected.Select(session => session.Id).Order(), page.Items.Select(session => session.Id).Order());
        }
    }

    [Theory, EachStore]
    public async Task Find_Name_IsItsNewestIncarnation(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await AddAsync(store, "a", "x");
        await store.Sessions.EndAsync(first.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        var second = await AddAsync(store, "a", "x");

        Assert.Equal(second, (await CatalogOf(store).FindAsync(SessionRef.Parse("a/x").Value, CancellationToken.None)).Value);
        Assert.Equal(first.Id, (await CatalogOf(store).FindAsync(SessionRef.To(first.Id), CancellationToken.None)).Value!.Id);
        Assert.Null((await CatalogOf(store).FindAsync(SessionRef.Parse("a/y").Value, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Describe_UsedSession_HasItsBindingsAndItsLastAuditRows(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        await store.Sessions.BindAsync(TestStore.Key("bob"), bound.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);
        await store.Sessions.ReleaseAsync(bound.Binding.Key, TestStore.Alice, CancellationToken.None);
        await store.OpenAsync("somebody");

        var record = (await CatalogOf(store).DescribeAsync(SessionRef.To(bound.Session.Id), 10, 3, CancellationToken.None)).Value!;

        Assert.Equal(["release", "bind", "ready"], record.Audit.Select(row => row.Action));
        Assert.Equal(["alice", "bob"], record.Bindings.Select(binding => binding.User).Order());
        var released = record.Bindings.Single(binding => binding.User == "alice");
        Assert.Equal((BindingState.Released, bound.Binding.Key.Prefix), (released.State, released.ClientSessionPrefix));
        Assert.NotNull(released.ReleasedAt);
        Assert.Single((await CatalogOf(store).DescribeAsync(SessionRef.To(bound.Session.Id), 1, 1, CancellationToken.None)).Value!.Bindings);
        Assert.Null((await CatalogOf(store).DescribeAsync(SessionRef.To(Guid.NewGuid()), 1, 1, CancellationToken.None)).Value);
    }

    private static ISessionCatalog CatalogOf(TestStore store) => store.First.GetRequiredService<ISessionCatalog>();

    private static async Task<Session> AddAsync(TestStore store, string space, string name)
    {
        var session = store.NewSession() with { Name = new SessionName(space, name) };
        return (await store.Sessions.OpenAsync(session, TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None)).Value.Bound.Session;
    }

    private static async Task<List<IReadOnlyList<Session>>> PagesAsync(TestStore store, SessionFilter filter, int limit)
    {
        var pages = new List<IReadOnlyList<Session>>();
        SessionPageKey? after = null;
        do
        {
            var page = (await CatalogOf(store).ListAsync(filter, after, limit, CancellationToken.None)).Value;
            pages.Add(page.Items);
            after = page.Next;
        }
        while (after is not null);
        return pages;
    }
}
