using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>PostgreSQL takes its time with every answer, or for a while with all of them.</summary>
[Collection(nameof(Alone))]
public sealed class SlowStoreTests
{
    private const int Queries = 20;

    [Fact]
    public async Task Slow_BoundSessionsDoNotWaitForIt_AndNewOnesOpen()
    {
        await using var postgres = await PostgresProcess.StartOwnAsync();
        await using var engine = TellingEngine.Create();
        await using var slow = TcpCutter.Start(postgres.Port);
        await using var scene = await ReplicaScene.StartAsync(engine.Setup, postgres.ConnectionString, PostgresProcess.ConnectionStringAt(slow.Port));
        var bound = new List<RawSession>();
        foreach (var replica in scene.Replicas)
        {
            bound.Add(await RawSession.ConnectAsync(scene.Ledger, replica.Port));
            await bound[^1].ServedAsync();
        }

        // A store that says nothing at all: whoever waited for it would not be answered.
        slow.Stop(Way.Down);
        await using var waiting = await RawSession.ConnectAsync(scene.Ledger, scene.Port);
        var waits = await waiting.BeginAsync();
        var said = slow.Links.Sum(link => link.Down.Bytes);
        for (var query = 0; query < Queries; query++) await Task.WhenAll(bound.Select(session => session.ServedAsync()));
        Assert.Equal(said, slow.Links.Sum(link => link.Down.Bytes));
        Assert.False(waits.HasEnded);
        slow.Delay = TimeSpan.FromMilliseconds(150);
        slow.Continue(Way.Down);
        Assert.Equal(Outcome.Ok, (await waiting.EndAsync(waits)).Status);

        // 0.3 s for each question and answer, then 2 s: everything comes, for one client session through all replicas too.
        var id = Guid.NewGuid().ToString();
        var same = await Task.WhenAll(scene.Replicas.Select(replica => RawSession.ConnectAsync(scene.Ledger, replica.Port, id: id)));
        await Task.WhenAll(same.Select(session => session.ServedAsync()));
        slow.Delay = TimeSpan.FromSeconds(1);
        await using var last = await RawSession.ConnectAsync(scene.Ledger, scene.Port);
        await last.ServedAsync();
        slow.Delay = null;
        await scene.Ledger.SettledAsync();
        await scene.EndAsync();
        foreach (var session in bound.Concat(same)) await session.DisposeAsync();
    }
}
