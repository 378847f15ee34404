using System.Globalization;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>PostgreSQL is stopped under three replicas, and comes back.</summary>
[Collection(nameof(Alone))]
public sealed class StoreOutageTests
{
    private const string Variable = "SPARK_GATEWAY_TEST_OUTAGE_SECONDS";

    /// <summary>Longer than the idle timeout below and than replicas wait for each other's heartbeats: so it is as a minute is to the defaults.</summary>
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable(Variable) ?? "30", CultureInfo.InvariantCulture));

    private static readonly TimeSpan Ended = TimeSpan.FromMinutes(2);

    private static readonly string[] Short =
    [
        .. ReplicaScene.QuickJudges, "spark_connect.idle_timeout_minutes=0.4", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=8",
        "spark_connect.busy_grace_seconds=1", "spark_connect.release_linger_seconds=1", "store.activity_seconds=1",
    ];

    [Fact]
    public async Task Stopped_AndBack_BoundSessionsGoOn_AndWhatWasDueIsWritten()
    {
        await using var postgres = await PostgresProcess.StartOwnAsync();
        await using var engine = TellingEngine.Create();
        await using var scene = await ReplicaScene.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, .. Short] }, postgres.ConnectionString);
        var ledger = scene.Ledger;
        await using var held = await OpenAsync(scene, 0);
        await using var usedAtHome = await OpenAsync(scene, 1);
        await using var released = await OpenAsync(scene, 2);
        await using var crashed = await OpenAsync(scene, 0);
        await using var unused = await OpenAsync(scene, 1);
        await using var usedAway = await RawSession.ConnectAsync(ledger, scene.Replicas[2].Port, id: usedAtHome.Key.ClientSessionId);
        await using var crashedAway = await RawSession.ConnectAsync(ledger, scene.Replicas[1].Port, id: crashed.Key.ClientSessionId);
        await usedAway.ServedAsync();
        await crashedAway.ServedAsync();
        var open = await held.HoldAsync();
        var cut = await crashed.HoldAsync();
        await ledger.SettledAsync();
        var driver = ledger.Drivers()[(await ledger.SessionOfAsync(crashed.Key)).Name].Single();

        await postgres.StopAsync();
        var began = TimeProvider.System.GetTimestamp();
        await RefusedAsync(scene, await RawSession.ConnectAsync(ledger, scene.Port));
        Assert.Equal(Outcome.Ok, await released.ReleaseAsync());
        Processes.Kill(driver);
        Assert.Equal(Outcome.Unavailable, (await crashed.EndAsync(cut)).Status);
        foreach (var session in new[] { crashed, crashedAway }) Assert.Equal(Outcome.Unavailable, (await session.AskAsync()).Status);
        do
        {
            await usedAtHome.ServedAsync();
            await usedAway.ServedAsync();
        }
        while (TimeProvider.System.GetElapsedTime(began) < Outage);
        await postgres.StartAgainAsync();

        // Idle is who was not used before, during and after: the use during the outage counts, wherever it was.
        await using var fresh = await RawSession.ConnectAsync(ledger, scene.Port);
        await Deadlines.UntilAsync("a new session", async () => (await fresh.AskAsync()).Status == Outcome.Ok, Ended);
        await Deadlines.UntilAsync("the end of the unused session", async () =>
        {
            foreach (var session in new[] { fresh, usedAway }) await session.ServedAsync();
            return (await ledger.SessionOfAsync(unused.Key)).State == "ended";
        }, Ended);
        Assert.Equal("idle", (await ledger.SessionOfAsync(unused.Key)).EndReason);
        Assert.Equal("crashed", (await ledger.EndedAsync(crashed.Key)).EndReason);
        Assert.Equal("released", (await ledger.EndedAsync(released.Key)).EndReason);
        foreach (var kept in new[] { held, usedAtHome, fresh }) Assert.Equal("ready", (await ledger.SessionOfAsync(kept.Key)).State);
        await Deadlines.UntilAsync("heartbeats of all replicas", async () => await ledger.NumberAsync("SELECT count(*) FROM replicas WHERE heartbeat_at > now() - INTERVAL '3 seconds'") == ReplicaScene.Count);
        foreach (var session in new[] { crashed, crashedAway }) Assert.Contains("it was killed (signal 9)", (await session.AskAsync()).Text, StringComparison.Ordinal);

        await engine.FinishAsync(held.Key.ClientSessionId);
        Assert.Equal(Outcome.Ok, (await held.EndAsync(open)).Status);
        await ledger.SettledAsync();
        await scene.EndAsync();
    }

    private static async Task<RawSession> OpenAsync(ReplicaScene scene, int replica)
    {
        var session = await RawSession.ConnectAsync(scene.Ledger, scene.Replicas[replica].Port);
        await session.ServedAsync();
        return session;
    }

    private static async Task RefusedAsync(ReplicaScene scene, RawSession session)
    {
        await using (session)
        {
            var outcome = await session.AskAsync();
            Assert.Equal(Outcome.Unavailable, outcome.Status);
            Assert.Contains("session store (PostgreSQL) cannot be used now", outcome.Text, StringComparison.Ordinal);
            Assert.Equal(ReplicaScene.Count, scene.Replicas.Count(replica => !replica.Process.HasExited));
        }
    }
}
