using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class FoundDriverTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
    private static readonly FoundDriver First = new(new SessionName("byod", "app"), "10.0.0.1:15002", "uid-b/1", Noon);

    [Theory, EachStore]
    public async Task Attach_TheSameDriverOnTwoReplicas_IsOneSession(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        var first = await AttachAsync(store.First, First);
        var again = await AttachAsync(store.AddProcess(), First);

        Assert.Equal(first, again);
        Assert.Equal((SessionKind.Attached, SessionState.Ready, "kubernetes", "uid-b/1"), (first.Single().Kind, first.Single().State, first.Single().Platform, first.Single().RuntimeId));
    }

    [Theory, EachStore]
    public async Task Attach_AYoungerDriverOfThatName_ReplacesTheOlder_AndNeverTheOtherWayRound(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var old = (await AttachAsync(store.First, First)).Single();
        var younger = First with { Address = "10.0.0.2:15002", RuntimeId = "uid-a/1", Since = Noon.AddSeconds(1) };

        var next = (await AttachAsync(store.First, younger)).Single();
        var late = (await AttachAsync(store.AddProcess(), First)).Single();

        Assert.Equal(2, next.Incarnation);
        Assert.Equal(next, late);
        Assert.Equal((SessionState.Ended, EndReason.Replaced), await EndOfAsync(store, old.Id));
    }

    [Theory, EachStore]
    public async Task Attach_DriverWhoseSessionHasEnded_GetsNoOther(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var session = (await AttachAsync(store.First, First)).Single();
        await store.Sessions.EndAsync(session.Id, EndReason.ClosedByOperator, "", Caller.Gateway, CancellationToken.None);

        Assert.Empty(await AttachAsync(store.First, First));
    }

    [Theory, EachStore]
    public async Task Attach_NothingFound_EndsNothing_AndConfigurationAndClusterLeaveEachOtherAlone(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var found = await AttachAsync(store.First, First);
        var listed = (await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "listed"), "h:1", null)], CancellationToken.None)).Value;

        Assert.Equal(found, await AttachAsync(store.First));
        Assert.Empty((await store.Sessions.SyncAttachedAsync([], CancellationToken.None)).Value);

        Assert.Null((await EndOfAsync(store, found.Single().Id)).Reason);
        Assert.Equal((SessionState.Ended, EndReason.Replaced), await EndOfAsync(store, listed.Single().Id));
    }

    [Theory, EachStore]
    public async Task Attach_NameOfAConfiguredSession_ChangesNothing(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var listed = (await store.Sessions.SyncAttachedAsync([new AttachedDriver(First.Name, "h:1", null)], CancellationToken.None)).Value.Single();

        Assert.Empty(await AttachAsync(store.First, First));
        Assert.Null((await EndOfAsync(store, listed.Id)).Reason);
    }

    private static async Task<IReadOnlyList<Session>> AttachAsync(IServiceProvider process, params FoundDriver[] found) =>
        (await process.GetRequiredService<IAttachedStore>().AttachAsync("kubernetes", found, CancellationToken.None)).Value;

    private static async Task<(SessionState State, EndReason? Reason)> EndOfAsync(TestStore store, Guid id)
    {
        var session = (await store.Sessions.FindSessionAsync(id, CancellationToken.None)).Value!;
        return (session.State, session.EndReason);
    }
}
