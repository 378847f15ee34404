using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>The lease of a start.</summary>
public sealed class LaunchTests
{
    private static readonly Guid Other = Guid.NewGuid();

    [Theory, EachStore]
    public async Task Open_NewSession_HoldsALeaseUntilItIsReady(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        Assert.InRange((await LeaseLeftAsync(store))!.Value, 20, 30);

        await MarkReadyAsync(store, bound.Session.Id, store.Self.Id);

        Assert.Null(await LeaseLeftAsync(store));
    }

    [Theory, EachStore]
    public async Task End_Starting_ClearsTheLease(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();

        await store.Sessions.EndAsync(bound.Session.Id, EndReason.StartFailed, "", Caller.Gateway, CancellationToken.None);

        Assert.Null(await LeaseLeftAsync(store));
    }

    [Theory, EachStore]
    public async Task RenewLaunch_OwnStart_PutsTheLeaseOff(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        await LapseAsync(store, 1);

        Assert.False((await store.Sessions.RenewLaunchAsync(bound.Session.Id, Other, CancellationToken.None)).Value);
        Assert.InRange((await LeaseLeftAsync(store))!.Value, -20, 0);
        Assert.True((await store.Sessions.RenewLaunchAsync(bound.Session.Id, store.Self.Id, CancellationToken.None)).Value);
        Assert.InRange((await LeaseLeftAsync(store))!.Value, 20, 30);

        await MarkReadyAsync(store, bound.Session.Id, store.Self.Id);
        Assert.False((await store.Sessions.RenewLaunchAsync(bound.Session.Id, store.Self.Id, CancellationToken.None)).Value);
        Assert.Null(await LeaseLeftAsync(store));
    }

    [Theory, EachStore]
    public async Task TakeOverLaunch_LapsedLease_MakesItTheOthers(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        Assert.Null((await store.Sessions.TakeOverLaunchAsync(bound.Session.Id, Other, CancellationToken.None)).Value);
        await LapseAsync(store, 1);
        Assert.Equal([bound.Session.Id], (await store.Sessions.ListLapsedLaunchesAsync(CancellationToken.None)).Value.Select(session => session.Id));

        var taken = (await store.Sessions.TakeOverLaunchAsync(bound.Session.Id, Other, CancellationToken.None)).Value!;

        Assert.Equal((Other, SessionState.Starting, bound.Session.Name), (taken.OwnerReplica, taken.State, taken.Name));
        Assert.InRange((await LeaseLeftAsync(store))!.Value, 20, 30);
        Assert.Empty((await store.Sessions.ListLapsedLaunchesAsync(CancellationToken.None)).Value);
        Assert.Equal(["open", "bind", "adopt"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task TakeOverLaunch_AnyOtherState_IsNull(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ready = await store.OpenReadyAsync();
        var ended = await store.OpenAsync();
        await store.Sessions.EndAsync(ended.Session.Id, EndReason.StartFailed, "", Caller.Gateway, CancellationToken.None);
        var older = await store.OpenAsync();
        await store.ExecuteAsync("UPDATE sessions SET launch_lease_until = NULL WHERE state = 'starting'");

        foreach (var id in new[] { ready.Session.Id, ended.Session.Id, older.Session.Id, Guid.NewGuid() })
            Assert.Null((await store.Sessions.TakeOverLaunchAsync(id, Other, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task TakeOverLaunch_TenAtOnceOnTwoReplicas_OneWins(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        ISessionStore[] replicas = [store.Sessions, store.AddReplica()];
        var bound = await store.OpenAsync();
        await LapseAsync(store, 1);

        var takes = await Task.WhenAll(Enumerable.Range(0, 10).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].TakeOverLaunchAsync(bound.Session.Id, Guid.NewGuid(), CancellationToken.None),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        var winner = Assert.Single(takes, take => take.Value is not null);
        Assert.Equal(winner.Value!.OwnerReplica, (await store.Sessions.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value!.OwnerReplica);
        Assert.Single(await store.ActionsAsync(), "adopt");
    }

    [Theory, EachStore]
    public async Task TakenOver_TheOldOwner_CanNeitherMarkReadyNorEndIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var id = (await store.OpenAsync()).Session.Id;
        await LapseAsync(store, 1);
        await store.Sessions.TakeOverLaunchAsync(id, Other, CancellationToken.None);

        Assert.Equal(ErrorCode.SessionChanged, (await MarkReadyAsync(store, id, store.Self.Id)).Error!.Code);
        Assert.Null((await store.Sessions.EndLaunchAsync(id, store.Self.Id, EndReason.StartFailed, "", CancellationToken.None)).Value);
        Assert.True((await MarkReadyAsync(store, id, Other)).IsOk);
        Assert.Equal(["open", "bind", "adopt", "ready"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task EndLaunch_OwnStart_EndsOnce(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var id = (await store.OpenAsync()).Session.Id;

        var ended = (await store.Sessions.EndLaunchAsync(id, store.Self.Id, EndReason.StartFailed, "exit code 1", CancellationToken.None)).Value!;

        Assert.Equal((SessionState.Ended, EndReason.StartFailed, "exit code 1"), (ended.State, ended.EndReason, ended.EndDetail));
        Assert.Null((await store.Sessions.EndLaunchAsync(id, store.Self.Id, EndReason.Lost, "", CancellationToken.None)).Value);
        Assert.Equal(["open", "bind", "end"], await store.ActionsAsync());
    }

    private static Task<Result<Session>> MarkReadyAsync(TestStore store, Guid id, Guid owner) =>
        store.Sessions.MarkReadyAsync(id, owner, "127.0.0.1:20001", "4711/99", TimeSpan.FromHours(4), CancellationToken.None);

    private static Task<int> LapseAsync(TestStore store, int seconds) =>
        store.ExecuteAsync($"UPDATE sessions SET launch_lease_until = {store.Ago(seconds)} WHERE launch_lease_until IS NOT NULL");

    /// <summary>Seconds; null: there is none.</summary>
    private static async Task<double?> LeaseLeftAsync(TestStore store)
    {
        var left = store.IsPostgres ? "extract(epoch FROM launch_lease_until - now())" : "(julianday(launch_lease_until) - julianday('now')) * 86400";
        var text = (await store.QueryAsync($"SELECT {left} AS seconds FROM sessions")).Single()["seconds"];
        return text.Length == 0 ? null : double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }
}
