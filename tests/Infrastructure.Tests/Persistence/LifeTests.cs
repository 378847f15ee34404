using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class LifeTests
{
    [Theory, EachStore]
    public async Task MarkReady_Starting_SetsAddressRuntimeAndTimes(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var opened = await store.OpenAsync();

        var ready = (await store.Sessions.MarkReadyAsync(opened.Session.Id, store.Self.Id, "127.0.0.1:20001", "4711/99", TimeSpan.FromHours(4), CancellationToken.None)).Value;

        Assert.Equal((SessionState.Ready, "127.0.0.1:20001", "4711/99"), (ready.State, ready.Address, ready.RuntimeId));
        Assert.True(ready.ReadyAt >= ready.OpenedAt && ready.LastActivityAt == ready.ReadyAt);
        Assert.Equal(ready, (await store.Sessions.FindSessionAsync(ready.Id, CancellationToken.None)).Value);
        Assert.Equal(["open", "bind", "ready"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task MarkReady_AnyOtherState_IsSessionChanged(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ready = await store.OpenReadyAsync();
        var ended = await store.OpenAsync();
        await store.Sessions.EndAsync(ended.Session.Id, EndReason.StartAbandoned, "", Caller.Gateway, CancellationToken.None);

        foreach (var id in new[] { ready.Session.Id, ended.Session.Id, Guid.NewGuid() })
        {
            var again = await store.Sessions.MarkReadyAsync(id, store.Self.Id, "127.0.0.1:20002", "4712/99", TimeSpan.FromHours(4), CancellationToken.None);
            Assert.Equal(ErrorCode.SessionChanged, again.Error!.Code);
        }
    }

    [Theory, EachStore]
    public async Task Find_NothingThere_IsNullAndNoError(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        Assert.Null((await store.Sessions.FindBindingAsync(TestStore.Key(), CancellationToken.None)).Value);
        Assert.Null((await store.Sessions.FindSessionAsync(Guid.NewGuid(), CancellationToken.None)).Value);
        Assert.Null((await store.Sessions.FindLiveSessionAsync(new SessionName("a", "b"), CancellationToken.None)).Value);
        Assert.Empty((await store.Sessions.ListLiveAsync(CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task ListLive_SessionsOfEachState_ListsAllButEndedOldestFirst(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var newest = await store.OpenReadyAsync();
        var oldest = await store.OpenAsync();
        var ended = await store.OpenAsync();
        await store.Sessions.EndAsync(ended.Session.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        await store.ExecuteAsync($"UPDATE sessions SET opened_at = {store.Ago(3600)}, state = 'ending' WHERE name = '{oldest.Session.Name.Name}'");

        var live = (await store.Sessions.ListLiveAsync(CancellationToken.None)).Value;

        Assert.Equal([oldest.Session.Id, newest.Session.Id], live.Select(session => session.Id));
        Assert.Null((await store.Sessions.FindLiveSessionAsync(oldest.Session.Name, CancellationToken.None)).Value);
        Assert.InRange(newest.Session.OpenedAt - live[0].OpenedAt, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
    }

    [Theory, EachStore]
    public async Task Release_OneOfTwo_CountsTheOtherAndAuditsOnce(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await store.OpenReadyAsync();
        var second = TestStore.Key();
        await store.Sessions.BindAsync(second, first.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);

        Task<Result<int>> Release(ClientSessionKey key) => store.Sessions.ReleaseAsync(key, TestStore.Alice, CancellationToken.None);

        Assert.Equal(1, (await Release(first.Binding.Key)).Value);
        Assert.Equal(1, (await Release(first.Binding.Key)).Value);
        Assert.Equal(0, (await Release(second)).Value);
        Assert.Equal(0, (await Release(TestStore.Key())).Value);
        Assert.Equal(BindingState.Released, (await store.Sessions.FindBindingAsync(second, CancellationToken.None)).Value!.Binding.State);
        Assert.Equal(2, (await store.ActionsAsync()).Count(action => action == "release"));
    }

    [Theory, EachStore]
    public async Task Release_BothAtOnce_OneSeesNoneLeft(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var other = store.AddReplica();
        for (var round = 0; round < 10; round++)
        {
            var first = await store.OpenReadyAsync();
            var second = TestStore.Key();
            await store.Sessions.BindAsync(second, first.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);

            var elsewhere = Task.Factory.StartNew(() => other.ReleaseAsync(second, TestStore.Alice, CancellationToken.None),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
            var here = store.Sessions.ReleaseAsync(first.Binding.Key, TestStore.Alice, CancellationToken.None);

            Assert.Equal([0, 1], new[] { (await here).Value, (await elsewhere).Value }.Order());
        }
    }

    [Theory, EachStore]
    public async Task End_LiveSession_LeavesReadableTombstones(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        var released = TestStore.Key();
        await store.Sessions.BindAsync(released, bound.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);
        await store.Sessions.ReleaseAsync(released, TestStore.Alice, CancellationToken.None);

        var ended = (await store.Sessions.EndAsync(bound.Session.Id, EndReason.ClosedByOperator, "maintenance", TestStore.Alice, CancellationToken.None)).Value!;

        Assert.Equal((SessionState.Ended, EndReason.ClosedByOperator, "maintenance"), (ended.State, ended.EndReason, ended.EndDetail));
        Assert.True(ended.EndedAt >= ended.ReadyAt);
        var tombstone = (await store.Sessions.FindBindingAsync(bound.Binding.Key, CancellationToken.None)).Value!;
        Assert.Equal((BindingState.Ended, ended), (tombstone.Binding.State, tombstone.Session));
        Assert.Equal(BindingState.Released, (await store.Sessions.FindBindingAsync(released, CancellationToken.None)).Value!.Binding.State);
    }

    [Theory, EachStore]
    public async Task End_Twice_IsNullAndKeepsTheFirstReason(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        Task<Result<Session?>> End(EndReason reason) => store.Sessions.EndAsync(bound.Session.Id, reason, $"{reason}", Caller.Gateway, CancellationToken.None);

        Assert.NotNull((await End(EndReason.StartFailed)).Value);
        Assert.Null((await End(EndReason.Lost)).Value);

        var session = (await store.Sessions.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value!;
        Assert.Equal((EndReason.StartFailed, "StartFailed"), (session.EndReason, session.EndDetail));
        Assert.Equal(["open", "bind", "end"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task End_TwentyAtOnce_OneEndsIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        ISessionStore[] replicas = [store.Sessions, store.AddReplica()];
        var bound = await store.OpenAsync();

        var ends = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].EndAsync(bound.Session.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.Single(ends, end => end.Value is not null);
        Assert.Single(await store.ActionsAsync(), "end");
    }

    [Theory, EachStore]
    public async Task End_AfterEndingWasMarked_KeepsThatReason(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        await store.ExecuteAsync("UPDATE sessions SET state = 'ending', end_reason = 'max_ttl', end_detail = '4 h'");

        var ended = await store.Sessions.EndAsync(bound.Session.Id, EndReason.Lost, "gone", Caller.Gateway, CancellationToken.None);

        Assert.Equal((EndReason.MaxTtl, "4 h"), (ended.Value!.EndReason, ended.Value.EndDetail));
    }

    [Theory, EachStore]
    public async Task MarkEnding_Released_WaitsForTheLastRelease(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        Task<Result<Session?>> EndUnused() => store.Sessions.MarkEndingAsync(bound.Session.Id, EndReason.Released, "", new EndCondition.ReleasedFor(TimeSpan.Zero), CancellationToken.None);

        Assert.Null((await EndUnused()).Value);
        Assert.Equal(SessionState.Ready, (await store.Sessions.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value!.State);
        await store.Sessions.ReleaseAsync(bound.Binding.Key, TestStore.Alice, CancellationToken.None);
        Assert.Equal(EndReason.Released, (await EndUnused()).Value!.EndReason);
    }

    [Theory, EachStore]
    public async Task End_EachReason_IsReadBack(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        foreach (var reason in Enum.GetValues<EndReason>())
        {
            var bound = await store.OpenAsync();
            await store.Sessions.EndAsync(bound.Session.Id, reason, "", Caller.Gateway, CancellationToken.None);
            Assert.Equal(reason, (await store.Sessions.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value!.EndReason);
        }

        var words = (await store.QueryAsync("SELECT end_reason FROM sessions")).Select(row => row["end_reason"]);
        Assert.Equal(["closed_by_operator", "crashed", "idle", "lost", "max_ttl", "released", "replaced", "start_abandoned", "start_failed"], words.Order(StringComparer.Ordinal));
    }
}
