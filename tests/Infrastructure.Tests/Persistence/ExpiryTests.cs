using System.Diagnostics;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class ExpiryTests
{
    private static readonly TimeSpan Busy = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Moment = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);

    [Theory, EachStore]
    public async Task MarkReady_MaxTtl_CountsFromThen(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        var ready = (await store.OpenReadyAsync()).Session;

        Assert.Equal(TimeSpan.FromHours(4), ready.MaxTtlAt - ready.ReadyAt);
    }

    [Theory, EachStore]
    public async Task RecordActivity_BusyAndUsed_StampsTheStoresTime(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (busy, used, unused) = (await store.OpenReadyAsync(), await store.OpenReadyAsync(), await store.OpenReadyAsync());
        await store.ExecuteAsync($"UPDATE sessions SET last_activity_at = {store.Ago(3600)}");

        Assert.True((await store.Sessions.RecordActivityAsync([new(busy.Session.Id, true), new(used.Session.Id, false)], Busy, CancellationToken.None)).Value);

        var (first, second, third) = (await FindAsync(store, busy), await FindAsync(store, used), await FindAsync(store, unused));
        Assert.InRange(first.BusyUntil!.Value - first.LastActivityAt!.Value, Busy - Moment, Busy + Moment);
        Assert.InRange(first.LastActivityAt.Value - third.LastActivityAt!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
        Assert.InRange(second.LastActivityAt!.Value - first.LastActivityAt.Value, TimeSpan.Zero, Moment);
        Assert.Null(second.BusyUntil);
    }

    [Theory, EachStore]
    public async Task RecordActivity_LaterTimesThere_NeverGoBack(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        await store.ExecuteAsync($"UPDATE sessions SET last_activity_at = {store.Ago(-60)}, busy_until = {store.Ago(-3600)}");
        var before = await FindAsync(store, bound);

        await store.Sessions.RecordActivityAsync([new(bound.Session.Id, true)], Busy, CancellationToken.None);
        await store.Sessions.BindAsync(TestStore.Key(), bound.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);

        Assert.Equal((before.LastActivityAt, before.BusyUntil), ((await FindAsync(store, bound)).LastActivityAt, (await FindAsync(store, bound)).BusyUntil));
    }

    [Theory, EachStore]
    public async Task RecordActivity_MoreThanOneBatch_StampsAll(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var real = await store.OpenReadyAsync();
        await store.ExecuteAsync($"UPDATE sessions SET last_activity_at = {store.Ago(3600)}");
        SessionActivity[] many = [.. Enumerable.Range(0, 1_200).Select(_ => new SessionActivity(Guid.NewGuid(), false)), new(real.Session.Id, false)];

        Assert.True((await store.Sessions.RecordActivityAsync(many, Busy, CancellationToken.None)).IsOk);

        Assert.True((await FindAsync(store, real)).LastActivityAt >= real.Session.ReadyAt);
    }

    [Theory, EachStore]
    public async Task ListExpiring_EachWayToBeDue_IsListedWithItsUse(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var fresh = await store.OpenReadyAsync();
        var (idle, old, released) = (await store.OpenReadyAsync(), await store.OpenReadyAsync(), await store.OpenReadyAsync());
        await store.OpenAsync();
        await AgeAsync(store, idle, $"last_activity_at = {store.Ago(1801)}");
        await AgeAsync(store, old, $"max_ttl_at = {store.Ago(-60)}");
        await store.Sessions.ReleaseAsync(released.Binding.Key, TestStore.Alice, CancellationToken.None);

        var uses = (await store.Sessions.ListExpiringAsync(Idle, TimeSpan.FromMinutes(10), CancellationToken.None)).Value;

        Assert.Equal(new[] { idle.Session.Id, old.Session.Id, released.Session.Id }.Order(), uses.Select(use => use.Session.Id).Order());
        var (byIdle, byAge, byRelease) = (Of(idle), Of(old), Of(released));
        Assert.Equal((1, 1, 0), (byIdle.BoundClients, byAge.BoundClients, byRelease.BoundClients));
        Assert.InRange(byAge.TimeLeft!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.InRange(byRelease.Now - byRelease.LastReleasedAt!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.Equal(EndReason.Idle, new ExpiryPolicy().Decide(byIdle, mayBeIdle: true));
        Assert.Null(byIdle.LastReleasedAt);
        Assert.Null((await FindAsync(store, fresh)).BusyUntil);

        SessionUse Of(BoundSession bound) => uses.Single(use => use.Session.Id == bound.Session.Id);
    }

    [Theory, EachStore]
    public async Task MarkEnding_Idle_OnlyWhileItIsUnused(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        await AgeAsync(store, bound, $"last_activity_at = {store.Ago(1801)}, busy_until = {store.Ago(-5)}");
        Task<Domain.Result<Session?>> Mark() => store.Sessions.MarkEndingAsync(bound.Session.Id, EndReason.Idle, "30 minutes", new EndCondition.IdleFor(Idle), CancellationToken.None);

        Assert.Null((await Mark()).Value);
        await AgeAsync(store, bound, $"last_activity_at = {store.Ago(1790)}, busy_until = {store.Ago(5)}");
        Assert.Null((await Mark()).Value);
        await AgeAsync(store, bound, $"last_activity_at = {store.Ago(1801)}");
        var ending = (await Mark()).Value!;

        Assert.Equal((SessionState.Ending, EndReason.Idle, "30 minutes"), (ending.State, ending.EndReason, ending.EndDetail));
        Assert.Null((await Mark()).Value);
        Assert.Equal(["open", "bind", "ready", "ending"], await store.ActionsAsync());
        var ended = (await store.Sessions.EndAsync(bound.Session.Id, EndReason.Lost, "x", Caller.Gateway, CancellationToken.None)).Value!;
        Assert.Equal((EndReason.Idle, "30 minutes"), (ended.EndReason, ended.EndDetail));
    }

    [Theory, EachStore]
    public async Task MarkEnding_MaxTtl_OnlyOnceItHasPassed(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenReadyAsync();
        Task<Domain.Result<Session?>> Mark() => store.Sessions.MarkEndingAsync(bound.Session.Id, EndReason.MaxTtl, "", new EndCondition.TtlReached(), CancellationToken.None);

        Assert.Null((await Mark()).Value);
        await AgeAsync(store, bound, $"max_ttl_at = {store.Ago(1)}");
        Assert.Equal(EndReason.MaxTtl, (await Mark()).Value!.EndReason);
    }

    [Theory, EachStore]
    public async Task MarkEnding_ByTwoReplicasAtOnce_OneMarksIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        ISessionStore[] replicas = [store.Sessions, store.AddReplica()];
        var bound = await store.OpenReadyAsync();
        await AgeAsync(store, bound, $"max_ttl_at = {store.Ago(1)}");

        var marks = await Task.WhenAll(Enumerable.Range(0, 10).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].MarkEndingAsync(bound.Session.Id, EndReason.MaxTtl, "", new EndCondition.TtlReached(), CancellationToken.None),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.Single(marks, mark => mark.Value is not null);
        Assert.Single(await store.ActionsAsync(), "ending");
    }

    [Theory, EachStore]
    public async Task ListEnding_EndingAndLatelyEnded_AreListed(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (ending, lately, old) = (await store.OpenReadyAsync(), await store.OpenReadyAsync(), await store.OpenReadyAsync());
        await store.OpenReadyAsync();
        await AgeAsync(store, ending, $"max_ttl_at = {store.Ago(1)}");
        await store.Sessions.MarkEndingAsync(ending.Session.Id, EndReason.MaxTtl, "", new EndCondition.TtlReached(), CancellationToken.None);
        foreach (var bound in new[] { lately, old }) await store.Sessions.EndAsync(bound.Session.Id, EndReason.Crashed, "", Caller.Gateway, CancellationToken.None);
        await AgeAsync(store, old, $"ended_at = {store.Ago(120)}");

        async Task<IEnumerable<Guid>> Within(int seconds) => (await store.Sessions.ListEndingAsync(TimeSpan.FromSeconds(seconds), CancellationToken.None)).Value.Select(session => session.Id).Order();

        Assert.Equal(new[] { ending.Session.Id, lately.Session.Id }.Order(), await Within(60));
        Assert.Equal(new[] { ending.Session.Id, lately.Session.Id, old.Session.Id }.Order(), await Within(180));
    }

    [Theory, EachStore]
    public async Task Prune_OldTombstonesAndReplicas_AreForgotten(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (old, young, live) = (await store.OpenReadyAsync(), await store.OpenReadyAsync(), await store.OpenReadyAsync());
        foreach (var bound in new[] { old, young }) await store.Sessions.EndAsync(bound.Session.Id, EndReason.Crashed, "", Caller.Gateway, CancellationToken.None);
        await AgeAsync(store, old, $"ended_at = {store.Ago(7201)}");
        foreach (var host in new[] { "a", "b" }) await store.Sessions.HeartbeatAsync(new Replica(Guid.NewGuid(), host, false), CancellationToken.None);
        await store.ExecuteAsync($"UPDATE replicas SET heartbeat_at = {store.Ago(90_000)} WHERE host = 'a'");

        Assert.Equal(1, (await store.Sessions.PruneAsync(TimeSpan.FromHours(2), CancellationToken.None)).Value);

        Assert.Null((await store.Sessions.FindBindingAsync(old.Binding.Key, CancellationToken.None)).Value);
        Assert.Null((await store.Sessions.FindSessionAsync(old.Session.Id, CancellationToken.None)).Value);
        foreach (var bound in new[] { young, live }) Assert.NotNull((await store.Sessions.FindBindingAsync(bound.Binding.Key, CancellationToken.None)).Value);
        Assert.Equal(["b"], (await store.QueryAsync("SELECT host FROM replicas")).Select(row => row["host"]));
        Assert.Equal(0, (await store.Sessions.PruneAsync(TimeSpan.FromHours(2), CancellationToken.None)).Value);
    }

    [Fact]
    public async Task SteadyFor_AfterAFailedCall_BeginsAnew()
    {
        await using var store = await TestStore.CreateAsync("sqlite");
        Assert.True(store.Sessions.SteadyFor >= TimeSpan.Zero);
        await store.ExecuteAsync("DROP TABLE bindings");
        var began = Stopwatch.GetTimestamp();

        Assert.NotNull((await store.Sessions.FindBindingAsync(TestStore.Key(), CancellationToken.None)).Error);

        Assert.True(store.Sessions.SteadyFor <= Stopwatch.GetElapsedTime(began));
    }

    private static Task<int> AgeAsync(TestStore store, BoundSession bound, string set) =>
        store.ExecuteAsync($"UPDATE sessions SET {set} WHERE name = '{bound.Session.Name.Name}'");

    private static async Task<Session> FindAsync(TestStore store, BoundSession bound) =>
        (await store.Sessions.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value!;
}
