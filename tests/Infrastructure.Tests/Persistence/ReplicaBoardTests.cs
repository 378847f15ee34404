using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class ReplicaBoardTests
{
    private static readonly Guid Session = Guid.NewGuid();

    [Theory, EachStore]
    public async Task Calls_ThatAReplicaTold_AreSeenByTheOthersUntilItHasNone(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (one, other) = (await JoinAsync(store, "one"), await JoinAsync(store, "two"));
        await one.Board.TellCallsAsync(one.Self, new Dictionary<Guid, int> { [Session] = 3, [Guid.NewGuid()] = 1 }, CancellationToken.None);

        var seen = Assert.Single((await other.Board.CallsElsewhereAsync(Session, other.Self, CancellationToken.None)).Value);

        Assert.Equal((one.Self.Id, "one", 3), (seen.Replica, seen.Host, seen.Calls));
        Assert.NotNull(seen.At);
        Assert.Empty((await one.Board.CallsElsewhereAsync(Session, one.Self, CancellationToken.None)).Value);
        Assert.Empty((await other.Board.CallsElsewhereAsync(Guid.NewGuid(), other.Self, CancellationToken.None)).Value);
        await one.Board.TellCallsAsync(one.Self, new Dictionary<Guid, int>(), CancellationToken.None);
        Assert.Empty((await other.Board.CallsElsewhereAsync(Session, other.Self, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Calls_OfASilentReplica_AreNotShown(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (one, other) = (await JoinAsync(store, "one"), await JoinAsync(store, "two"));
        await one.Board.TellCallsAsync(one.Self, new Dictionary<Guid, int> { [Session] = 3 }, CancellationToken.None);
        await store.ExecuteAsync($"UPDATE replicas SET heartbeat_at = {store.Ago(3_600)} WHERE host = 'one'");

        Assert.Empty((await other.Board.CallsElsewhereAsync(Session, other.Self, CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Replica_IsFoundWithItsFolder(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var one = await JoinAsync(store, "one");

        Assert.Equal(new ReplicaPlace(one.Self.Id, "one", "/state/one"), (await one.Board.FindReplicaAsync(one.Self.Id, CancellationToken.None)).Value);
        Assert.Null((await one.Board.FindReplicaAsync(Guid.NewGuid(), CancellationToken.None)).Value);
    }

    private static async Task<(Replica Self, IReplicaBoard Board)> JoinAsync(TestStore store, string host)
    {
        var self = new Replica(Guid.NewGuid(), host, IsOnly: false, $"/state/{host}");
        var process = store.AddProcess(self);
        Assert.True((await process.GetRequiredService<ISessionStore>().HeartbeatAsync(self, CancellationToken.None)).IsOk);
        return (self, process.GetRequiredService<IReplicaBoard>());
    }
}
