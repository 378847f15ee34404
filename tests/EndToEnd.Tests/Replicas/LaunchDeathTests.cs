using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>A replica that is killed while the driver of a session starts.</summary>
[Collection(nameof(Alone))]
public sealed class LaunchDeathTests
{
    [Fact]
    public async Task KilledWhileItLaunches_WaitersEverywhereReadWhy_AndOpenAnew()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var engine = TellingEngine.Create(waits: true);
        await using var scene = await ReplicaScene.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, .. ReplicaScene.QuickJudges] }, database.ConnectionString);
        var (launching, other) = (scene.PortOf(0), scene.PortOf(1));
        await using var first = await RawSession.ConnectAsync(scene.Ledger, launching);
        var firstWaits = await first.BeginAsync();
        await Deadlines.UntilAsync("the driver in mid-start", () => scene.Ledger.Drivers().Count == 1);
        var starting = Assert.Single(await scene.Ledger.SessionsAsync());
        Assert.Equal("starting", starting.State);
        await using var second = await RawSession.ConnectAsync(scene.Ledger, other, id: first.Key.ClientSessionId);
        var secondWaits = await second.BeginAsync();
        await second.TakenAsync();

        await scene.KillAsync(0);

        await first.CutAsync();
        await using var back = await RawSession.ConnectAsync(scene.Ledger, launching, id: first.Key.ClientSessionId);
        foreach (var outcome in new[] { await second.EndAsync(secondWaits), await back.AskAsync() })
        {
            Assert.Equal(Outcome.Internal, outcome.Status);
            Assert.StartsWith("[INVALID_HANDLE.SESSION_CHANGED]", outcome.Text, StringComparison.Ordinal);
            Assert.Contains("the gateway process that ran its driver is gone", outcome.Text, StringComparison.Ordinal);
        }

        scene.Ledger.Knows(first.Key);
        Assert.Equal("lost", (await scene.Ledger.EndedAsync(first.Key)).EndReason);
        await scene.Ledger.SettledAsync();

        engine.Go();
        await using var again = await RawSession.ConnectAsync(scene.Ledger, launching);
        await again.ServedAsync();
        await scene.Ledger.SettledAsync();
        await scene.EndAsync();
    }
}
