using System.Globalization;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>Replicas whose clocks are wrong by an hour: the database's clock decides.</summary>
[Collection(nameof(Alone))]
public sealed class ClockTests
{
    private const int IdleSeconds = 6;
    private const int TtlSeconds = 18;
    private const string TwoMinutes = "INTERVAL '2 minutes'";

    private static readonly string[] Clocks = ["+0", "+1h", "-1h"];
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(2);

    private static readonly string[] Short =
    [
        .. ReplicaScene.QuickJudges, "spark_connect.idle_timeout_minutes=0.1", "spark_connect.max_ttl_hours=0.005", "spark_connect.expiry_interval_seconds=1",
        "spark_connect.expiry_hold_seconds=0", "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1",
    ];

    [Fact]
    public async Task AnHourAheadAndAnHourBehind_SessionsEndByTheClockOfTheDatabase()
    {
        var library = FindLibrary();
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var engine = TellingEngine.Create();
        await using var scene = await ReplicaScene.StartAsync(
            engine.Setup with { Settings = [.. engine.Setup.Settings, .. Short] }, database.ConnectionString,
            variables: number => [("LD_PRELOAD", library), ("FAKETIME", Clocks[number]), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_DONT_RESET", "1")]);
        var ledger = scene.Ledger;
        await HasTimeAsync(scene, 0, TimeSpan.Zero);
        await HasTimeAsync(scene, 1, TimeSpan.FromHours(1));
        await HasTimeAsync(scene, 2, TimeSpan.FromHours(-1));

        var (idle, held) = (new List<RawSession>(), new List<RawSession>());
        var calls = new List<H2Stream>();
        for (var number = 0; number < ReplicaScene.Count; number++)
        {
            idle.Add(await RawSession.ConnectAsync(ledger, scene.Replicas[number].Port));
            await idle[number].ServedAsync();
            held.Add(await RawSession.ConnectAsync(ledger, scene.Replicas[number].Port));
            calls.Add(await held[number].HoldAsync());
        }

        // Not early, whichever replica looked: each end was due by the database's own times.
        foreach (var session in idle) await DueAsync(ledger, await ledger.EndedAsync(session.Key), "idle", $"row.last_activity_at + INTERVAL '{IdleSeconds} seconds'");
        foreach (var session in held) await DueAsync(ledger, await ledger.EndedAsync(session.Key), "max_ttl", $"row.ready_at + INTERVAL '{TtlSeconds} seconds'");
        for (var number = 0; number < ReplicaScene.Count; number++)
            Assert.Contains("it reached the longest time that a session may live", (await held[number].EndAsync(calls[number])).Text, StringComparison.Ordinal);

        // No time of a replica's own is anywhere in the store.
        foreach (var (table, columns) in new[]
        {
            ("sessions", "opened_at, ready_at, last_activity_at, busy_until, max_ttl_at, ended_at"), ("bindings", "created_at"),
            ("replicas", "started_at, heartbeat_at, steady_since"), ("audit_log", "at"),
        })
        {
            foreach (var column in columns.Split(", "))
                Assert.Equal((column, 0), (column, await ledger.NumberAsync($"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN now() - {TwoMinutes} AND now() + {TwoMinutes}")));
        }

        await ledger.SettledAsync();
        await scene.EndAsync();
        foreach (var session in idle.Concat(held)) await session.DisposeAsync();
    }

    /// <summary>Ended for that reason, not before it was due, and not much later: a clock an hour off would show.</summary>
    private static async Task DueAsync(Ledger ledger, SessionLine session, string reason, string due)
    {
        Assert.Equal(reason, session.EndReason);
        var late = await ledger.NumberAsync($"SELECT extract(epoch FROM mark.at - ({due})) FROM sessions row JOIN audit_log mark ON mark.session_row_id = row.id AND mark.action = 'ending' WHERE row.id = '{session.Id}'");
        Assert.True(late >= 0 && late < Slack.TotalSeconds, string.Create(CultureInfo.InvariantCulture, $"{session} began to end {late} s after it was due."));
    }

    private static async Task HasTimeAsync(ReplicaScene scene, int replica, TimeSpan off)
    {
        var wrong = await scene.Replicas[replica].ClockAsync() - TimeProvider.System.GetUtcNow();
        Assert.InRange(wrong, off - Slack, off + Slack);
    }

    private static string FindLibrary()
    {
        var library = Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(library is null, "No libfaketime under /usr/lib: the clocks of replicas cannot be set wrong (Debian's package faketime).");
        return library!;
    }
}
