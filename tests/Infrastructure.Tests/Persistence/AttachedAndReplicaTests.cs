using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class AttachedAndReplicaTests
{
    private static readonly AttachedDriver Mine = new(new SessionName("byod", "mine"), "10.0.0.1:15002", null);
    private static readonly AttachedDriver Yours = new(new SessionName("byod", "yours"), "10.0.0.2:15002", null);

    [Theory, EachStore]
    public async Task SyncAttached_NewNames_AreReadyAndStayTheSame(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        var first = await Sync(store, Yours, Mine);
        var again = await Sync(store, Mine, Yours);

        Assert.Equal(first, again);
        Assert.Equal(["mine", "yours"], first.Select(session => session.Name.Name));
        Assert.All(first, session => Assert.Equal((SessionKind.Attached, SessionState.Ready, "config", 1), (session.Kind, session.State, session.Platform, session.Incarnation)));
        Assert.All(first, session => Assert.True(session.ReadyAt == session.OpenedAt && session.OpenedBy is null && session.Team is null && session.OwnerReplica is null));
        Assert.Equal(["attach", "attach"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task SyncAttached_SameAddressAfterARestart_KeepsItsClients(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var attached = (await Sync(store, Mine)).Single();
        var key = TestStore.Key();
        await store.Sessions.BindAsync(key, attached.Id, BoundVia.Header, TestStore.Alice, CancellationToken.None);

        var restarted = store.AddReplica();
        var synced = await restarted.SyncAttachedAsync([Mine], CancellationToken.None);
        await restarted.HeartbeatAsync(new Replica(Guid.NewGuid(), "here", IsOnly: true), CancellationToken.None);

        Assert.Equal(attached.Id, synced.Value.Single().Id);
        var bound = (await restarted.FindBindingAsync(key, CancellationToken.None)).Value!;
        Assert.Equal((BindingState.Bound, SessionState.Ready), (bound.Binding.State, bound.Session.State));
    }

    [Theory, EachStore]
    public async Task SyncAttached_OtherAddress_EndsTheOldAndBeginsAnIncarnation(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var old = (await Sync(store, Mine)).Single();
        var key = TestStore.Key();
        await store.Sessions.BindAsync(key, old.Id, BoundVia.Header, TestStore.Alice, CancellationToken.None);

        var moved = (await Sync(store, Mine with { Address = "10.0.0.9:15002" })).Single();

        Assert.Equal((2, "10.0.0.9:15002"), (moved.Incarnation, moved.Address));
        var tombstone = (await store.Sessions.FindBindingAsync(key, CancellationToken.None)).Value!;
        Assert.Equal((BindingState.Ended, EndReason.Replaced), (tombstone.Binding.State, tombstone.Session.EndReason));
        Assert.Contains("10.0.0.9:15002", tombstone.Session.EndDetail);
        Assert.Equal(moved, (await store.Sessions.FindLiveSessionAsync(Mine.Name, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task SyncAttached_NameNoLongerListed_EndsIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var onDemand = await store.OpenReadyAsync();
        var removed = (await Sync(store, Mine, Yours))[0];

        Assert.Equal(["yours"], (await Sync(store, Yours)).Select(session => session.Name.Name));

        var tombstone = (await store.Sessions.FindSessionAsync(removed.Id, CancellationToken.None)).Value!;
        Assert.Equal((EndReason.Replaced, "no longer in the configuration"), (tombstone.EndReason, tombstone.EndDetail));
        Assert.Equal(SessionState.Ready, (await store.Sessions.FindSessionAsync(onDemand.Session.Id, CancellationToken.None)).Value!.State);
        Assert.Equal(2, (await Sync(store, Yours, Mine)).Single(session => session.Name == Mine.Name).Incarnation);
    }

    [Theory, EachStore]
    public async Task SyncAttached_TenAtOnceOnTwoReplicas_MakeOneSession(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        ISessionStore[] replicas = [store.Sessions, store.AddReplica()];

        var synced = await Task.WhenAll(Enumerable.Range(0, 10).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].SyncAttachedAsync([Mine], CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.Single(synced.Select(sync => sync.Value.Single().Id).Distinct());
        Assert.Equal(["attach"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task Heartbeat_OnlyProcess_LosesTheSessionsOfAllOthers(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var only = new Replica(Guid.NewGuid(), "here", IsOnly: true);
        var own = await store.OpenAsync(owner: only.Id);
        var orphan = await store.OpenReadyAsync();
        await Sync(store, Mine);

        var lost = await store.Sessions.HeartbeatAsync(only, CancellationToken.None);

        Assert.Equal([orphan.Session.Id], lost.Value.Select(session => session.Id));
        Assert.Equal((SessionState.Ended, EndReason.Lost), (lost.Value[0].State, lost.Value[0].EndReason));
        Assert.Equal(2, (await store.Sessions.ListLiveAsync(CancellationToken.None)).Value.Count);
        Assert.Equal(SessionState.Starting, (await store.Sessions.FindSessionAsync(own.Session.Id, CancellationToken.None)).Value!.State);
        Assert.Empty((await store.Sessions.HeartbeatAsync(only, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Heartbeat_SteadyReplica_LosesTheSessionsOfSilentOnesOnly(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        Replica self = new(Guid.NewGuid(), "a", false), alive = new(Guid.NewGuid(), "b", false), silent = new(Guid.NewGuid(), "c", false);
        await store.OpenAsync(owner: alive.Id);
        var orphan = await store.OpenAsync(owner: silent.Id);
        var never = await store.OpenAsync(owner: Guid.NewGuid());
        await store.ExecuteAsync("UPDATE sessions SET platform = 'kubernetes' WHERE name = '" + (await store.OpenAsync(owner: silent.Id)).Session.Name.Name + "'");
        foreach (var replica in new[] { self, alive, silent }) Assert.Empty((await store.Sessions.HeartbeatAsync(replica, CancellationToken.None)).Value);
        await store.ExecuteAsync($"UPDATE replicas SET steady_since = {store.Ago(3600)} WHERE host = 'a'");
        await store.ExecuteAsync($"UPDATE replicas SET heartbeat_at = {store.Ago(61)} WHERE host = 'c'");
        await store.ExecuteAsync($"UPDATE replicas SET heartbeat_at = {store.Ago(50)} WHERE host = 'b'");

        var lost = await store.Sessions.HeartbeatAsync(self, CancellationToken.None);

        Assert.Equal(new[] { orphan.Session.Id, never.Session.Id }.Order(), lost.Value.Select(session => session.Id).Order());
    }

    [Theory, EachStore]
    public async Task OtherHost_WithALiveReplica_IsNamed(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var health = store.First.GetRequiredService<StoreHealth>();
        Replica self = new(Guid.NewGuid(), "here", false), beside = new(Guid.NewGuid(), "here", false), elsewhere = new(Guid.NewGuid(), "there", false);
        foreach (var replica in new[] { self, beside }) await store.Sessions.HeartbeatAsync(replica, CancellationToken.None);
        Assert.Null((await health.OtherHostAsync(self, CancellationToken.None)).Value);

        await store.Sessions.HeartbeatAsync(elsewhere, CancellationToken.None);
        Assert.Equal("there", (await health.OtherHostAsync(self, CancellationToken.None)).Value);

        await store.ExecuteAsync($"UPDATE replicas SET heartbeat_at = {store.Ago(61)} WHERE host = 'there'");
        Assert.Null((await health.OtherHostAsync(self, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Heartbeat_AfterAGap_JudgesNobodyForAMinute(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        Replica self = new(Guid.NewGuid(), "a", false), other = new(Guid.NewGuid(), "b", false);
        await store.OpenAsync(owner: other.Id);
        await store.Sessions.HeartbeatAsync(self, CancellationToken.None);
        await store.Sessions.HeartbeatAsync(other, CancellationToken.None);
        await store.ExecuteAsync($"UPDATE replicas SET steady_since = {store.Ago(3600)}, heartbeat_at = {store.Ago(120)}");

        Assert.Empty((await store.Sessions.HeartbeatAsync(self, CancellationToken.None)).Value);
        Assert.Empty((await store.Sessions.HeartbeatAsync(self, CancellationToken.None)).Value);

        await store.ExecuteAsync($"UPDATE replicas SET steady_since = {store.Ago(61)} WHERE host = 'a'");
        Assert.Single((await store.Sessions.HeartbeatAsync(self, CancellationToken.None)).Value);
    }

    private static async Task<IReadOnlyList<Session>> Sync(TestStore store, params AttachedDriver[] drivers) =>
        (await store.Sessions.SyncAttachedAsync(drivers, CancellationToken.None)).Value;
}
