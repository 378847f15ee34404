using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>Every method of every store once, with the rights of `serve`; <see cref="StatementLint"/> reads each statement.</summary>
public sealed class StoreTourTests
{
    private readonly ConcurrentDictionary<string, bool> called = new();

    [Theory, EachStore]
    public async Task EveryMethod_WithTheRightsOfServe_IsAllowedAndSpokenByCockroachDb(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        await ServeAsync(store);
        await OperateAsync(store);
        await TendAsync(store);

        Type[] ports = [typeof(ISessionStore), typeof(IOperatorStore), typeof(ISessionCatalog), typeof(IAttachedStore), typeof(IReplicaBoard), typeof(IGatewayInstance), typeof(ISessionHistory)];
        var missing = ports.SelectMany(port => port.GetMethods().Select(method => $"{port.Name}.{method.Name}")).Where(name => !called.ContainsKey(name));
        Assert.True(!missing.Any(), $"Call these here too: {string.Join(", ", missing)}");
        foreach (var table in (string[])["sessions", "bindings", "replicas", "session_turn", "audit_log"])
            Assert.Contains(store.Lint.Seen, sql => sql.Contains(table, StringComparison.Ordinal));
    }

    private async Task ServeAsync(TestStore store)
    {
        var sessions = Watched<ISessionStore>(store);
        var (key, clone) = (TestStore.Key(), TestStore.Key("bob"));
        var opened = await Ok(sessions.OpenAsync(store.NewSession(), key, TestStore.NoLimits, TestStore.Alice, CancellationToken.None));
        var id = opened.Bound.Session.Id;
        await Ok(sessions.RenewLaunchAsync(id, store.Self.Id, CancellationToken.None));
        await Ok(sessions.ListLapsedLaunchesAsync(CancellationToken.None));
        await store.ExecuteAsync($"UPDATE sessions SET launch_lease_until = {store.Ago(1)}");
        Assert.NotNull(await Ok(sessions.TakeOverLaunchAsync(id, store.Self.Id, CancellationToken.None)));
        await Ok(sessions.EndLaunchAsync(id, Guid.NewGuid(), EndReason.Lost, "", CancellationToken.None));
        await Ok(sessions.MarkReadyAsync(id, store.Self.Id, "127.0.0.1:20001", "1/1", TimeSpan.FromHours(4), CancellationToken.None));
        await Ok(sessions.BindAsync(clone, id, BoundVia.Clone, TestStore.Alice, CancellationToken.None));
        await Ok(sessions.FindBindingAsync(key, CancellationToken.None));
        await Ok(sessions.FindSessionAsync(id, CancellationToken.None));
        await Ok(sessions.FindLiveSessionAsync(opened.Bound.Session.Name, CancellationToken.None));
        await Ok(sessions.ListLiveAsync(CancellationToken.None));
        await Ok(sessions.RecordActivityAsync([new SessionActivity(id, true), new SessionActivity(Guid.NewGuid(), false)], TimeSpan.FromMinutes(5), CancellationToken.None));
        await Ok(sessions.RecordDenialAsync(TestStore.Denial(key), CancellationToken.None));
        foreach (var one in new[] { key, clone }) await Ok(sessions.ReleaseAsync(one, TestStore.Alice, CancellationToken.None));
        await Ok(sessions.ListExpiringAsync(TimeSpan.FromMinutes(30), TimeSpan.FromHours(5), CancellationToken.None));
        EndCondition[] conditions = [new EndCondition.IdleFor(TimeSpan.FromHours(1)), new EndCondition.TtlReached(), new EndCondition.ReleasedFor(TimeSpan.FromHours(1)), new EndCondition.Told(TestStore.Alice)];
        foreach (var condition in conditions) await Ok(sessions.MarkEndingAsync(id, EndReason.Released, "", condition, CancellationToken.None));
        await Ok(sessions.ListEndingAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
        Assert.NotNull(await Ok(sessions.EndAsync(id, EndReason.Released, "", TestStore.Alice, CancellationToken.None)));
        Assert.True(sessions.SteadyFor >= TimeSpan.Zero);
    }

    private async Task OperateAsync(TestStore store)
    {
        var (operators, catalog) = (Watched<IOperatorStore>(store), Watched<ISessionCatalog>(store));
        var session = store.NewSession();
        var client = new ClientSessionKey("ana", Guid.NewGuid().ToString());
        var opened = await Ok(operators.OpenUnclaimedAsync(
            new UnclaimedSession(session.Id, session.Name, session.Platform, session.Team, session.Environment, session.OwnerReplica, client.ClientSessionId), TestStore.NoLimits, TestStore.Alice, CancellationToken.None));
        await Ok(operators.ClaimAsync(client, TestStore.Alice, CancellationToken.None));
        await Ok(store.Sessions.MarkReadyAsync(opened.Id, session.OwnerReplica, "127.0.0.1:20001", "1/1", TimeSpan.FromHours(4), CancellationToken.None));
        await Ok(operators.ExtendAsync(opened.Id, 5, 24, TestStore.Alice, CancellationToken.None));
        foreach (var states in Enum.GetValues<SessionStates>())
            await Ok(catalog.ListAsync(new SessionFilter("ml", "ana", "sjns-ml-dev", states), new SessionPageKey(session.Name, 1), 5, CancellationToken.None));
        await Ok(catalog.FindAsync(SessionRef.To(opened.Id), CancellationToken.None));
        Assert.NotNull(await Ok(catalog.DescribeAsync(SessionRef.To(opened.Id), 5, 5, CancellationToken.None)));
    }

    private async Task TendAsync(TestStore store)
    {
        var sessions = Watched<ISessionStore>(store);
        AttachedDriver Driver(int port) => new(new SessionName("byod", "mine"), $"10.0.0.1:{port}", null);
        foreach (var port in new[] { 1, 2 }) await Ok(sessions.SyncAttachedAsync([Driver(port)], CancellationToken.None));
        await Ok(sessions.HeartbeatAsync(store.Self, CancellationToken.None));
        await Ok(sessions.HeartbeatAsync(store.Self with { IsOnly = true, Id = Guid.NewGuid() }, CancellationToken.None));
        await store.ExecuteAsync($"UPDATE sessions SET ended_at = {store.Ago(7_201)} WHERE state = 'ended'");
        Assert.True(await Ok(sessions.PruneAsync(TimeSpan.FromHours(2), CancellationToken.None)) > 0);
        FoundDriver Found(int number) => new(new SessionName("sjns-ml-dev", "theirs"), $"10.0.0.2:{number}", $"pod-{number}", DateTimeOffset.UnixEpoch.AddMinutes(number));
        foreach (var number in new[] { 1, 2 }) await Ok(Watched<IAttachedStore>(store).AttachAsync("kubernetes", [Found(number)], CancellationToken.None));
        var board = Watched<IReplicaBoard>(store);
        await Ok(board.TellCallsAsync(store.Self, new Dictionary<Guid, int> { [Guid.NewGuid()] = 2 }, CancellationToken.None));
        await Ok(board.CallsElsewhereAsync(Guid.NewGuid(), store.Self, CancellationToken.None));
        await Ok(board.FindReplicaAsync(store.Self.Id, CancellationToken.None));
        await Ok(Watched<IGatewayInstance>(store).ReadAsync(CancellationToken.None));
        await Ok(Watched<ISessionHistory>(store).HasEndedAsync(Guid.NewGuid(), CancellationToken.None));
        var health = store.First.GetRequiredService<StoreHealth>();
        await Ok(health.PingAsync(CancellationToken.None));
        await Ok(health.OtherHostAsync(store.Self, CancellationToken.None));
        await Ok(store.First.GetRequiredService<AuditPruner>().CountAsync(TimeSpan.FromDays(400), CancellationToken.None));
        await Ok(store.AddProcessAs(TestStore.OwnerRole).GetRequiredService<AuditPruner>().PruneAsync(TimeSpan.FromDays(400), "root", 100, CancellationToken.None));
        Assert.True((await store.First.GetRequiredService<Migrator>().PrepareToServeAsync(CancellationToken.None)).IsOk);
    }

    private T Watched<T>(TestStore store)
        where T : class
    {
        var port = DispatchProxy.Create<T, Watch<T>>();
        var watch = (Watch<T>)(object)port;
        (watch.Inner, watch.Called) = (store.First.GetRequiredService<T>(), name => called[name] = true);
        return port;
    }

    private static async Task<T> Ok<T>(Task<Domain.Result<T>> work)
    {
        var result = await work;
        Assert.Null(result.Error);
        return result.Value;
    }

    /// <summary>Notes what was called.</summary>
    public class Watch<T> : DispatchProxy
        where T : class
    {
        internal T Inner { get; set; } = null!;

        internal Action<string> Called { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Called($"{typeof(T).Name}.{targetMethod!.Name}");
            return targetMethod.Invoke(Inner, args);
        }
    }
}
