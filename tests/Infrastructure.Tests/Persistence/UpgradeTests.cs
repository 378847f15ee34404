using System.Text;
using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>A database of an older version, with sessions in each state, goes up to the newest and serves.</summary>
public sealed class UpgradeTests
{
    private const string Columns = "namespace, session_name, session_row_id, kind, team, opened_by, opened_at, ready_at, used_by, client_session_prefix, via, client_address, user_agent, bound_at, released_at, ended_at, end_reason, end_detail";

    private static readonly string[] States = ["starting", "ready", "ending", "ended"];

    public static TheoryData<string, int> OlderSchemas()
    {
        var data = new TheoryData<string, int>();
        for (var version = 1; version < MigrationScripts.For(StoreKind.Postgres).Numbered.Count; version++)
        {
            data.Add("sqlite", version);
            data.Add("postgres", version);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(OlderSchemas))]
    public async Task Migrate_OlderDatabaseWithData_KeepsAllOfItAndServes(string kind, int version)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        await MakeAsync(store, version);
        var before = await Everything(store);
        Assert.Equal(SchemaState.Older, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        var served = await store.Migrator.PrepareToServeAsync(CancellationToken.None);
        if (store.IsPostgres)
        {
            Assert.Contains("has an older schema than this spark-gateway needs; run `spark-gateway migrate --config FILE` and start again", served.Error!.Text);
            Assert.Equal(before, await Everything(store));
            Assert.Null((await store.Migrator.MigrateAsync(CancellationToken.None)).Error);
        }

        Assert.Equal(SchemaState.Current, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        var ready = (await store.Sessions.FindBindingAsync(Key("ready"), CancellationToken.None)).Value!.Session;

        // 0003 gives it to rows of before; later versions never wrote a ready row without one.
        if (version < 3) Assert.InRange(ready.MaxTtlAt!.Value - await NowAsync(store), TimeSpan.FromHours(3.9), TimeSpan.FromHours(4.1));
        await store.ExecuteAsync("UPDATE sessions SET max_ttl_at = NULL");
        Assert.Equal(before, await Everything(store));
    }

    [Theory, EachStore]
    public async Task OlderSessions_AfterTheMigration_LiveOn(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        await MakeAsync(store, version: 1);
        await store.Migrator.MigrateAsync(CancellationToken.None);
        var sessions = store.Sessions;
        async Task<Session> Of(string state) => (await sessions.FindBindingAsync(Key(state), CancellationToken.None)).Value!.Session;

        Assert.All(await Task.WhenAll(States.Select(Of)), (session, index) => Assert.Equal(States[index], ColumnWord.Of(session.State)));
        Assert.Equal((EndReason.Crashed, "exit code 1"), ((await Of("ended")).EndReason, (await Of("ended")).EndDetail));
        Assert.Contains((await sessions.ListExpiringAsync(TimeSpan.FromDays(1_000), TimeSpan.FromHours(5), CancellationToken.None)).Value, use => use.Session.Name.Name == "ready");
        Assert.True((await store.First.GetRequiredService<IOperatorStore>().ExtendAsync((await Of("ready")).Id, 5, 24, TestStore.Alice, CancellationToken.None)).IsOk);
        Assert.True((await sessions.MarkReadyAsync((await Of("starting")).Id, (await Of("starting")).OwnerReplica!.Value, "127.0.0.1:2", "2/2", TimeSpan.FromHours(1), CancellationToken.None)).IsOk);
        Assert.NotNull((await sessions.EndAsync((await Of("ending")).Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None)).Value);
        Assert.Equal(0, (await sessions.ReleaseAsync(Key("ready"), TestStore.Alice, CancellationToken.None)).Value);
        Assert.Equal("ready", (await sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "mine"), "10.0.0.1:15002", null)], CancellationToken.None)).Value.Select(session => ColumnWord.Of(session.State)).Single());
        Assert.Equal(2, (await store.QueryAsync($"SELECT 1 FROM audit_log WHERE action IN ('extend', 'release') AND session_name = 'ready'")).Count);
    }

    private static ClientSessionKey Key(string state) => new("alice", $"{state}-0000-4000-8000-000000000000");

    private static async Task<DateTimeOffset> NowAsync(TestStore store) =>
        DateTimeOffset.Parse((await store.QueryAsync(store.IsPostgres ? "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS now" : $"SELECT {store.Ago(0)} AS now")).Single()["now"], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As the first version wrote its rows: no max TTL.</summary>
    private static async Task MakeAsync(TestStore store, int version)
    {
        var scripts = MigrationScripts.For(store.IsPostgres ? StoreKind.Postgres : StoreKind.Sqlite);
        await store.ExecuteAsync(scripts.Journal);
        foreach (var script in scripts.Numbered.Take(version))
            await store.ExecuteAsync($"{script.Contents}\nINSERT INTO schema_migrations (name) VALUES ('{script.Name}');");

        var replica = Id(store, 9);
        await store.ExecuteAsync($"INSERT INTO replicas (id, host) VALUES ('{replica}', 'old-host')");
        foreach (var (state, number) in States.Select((state, index) => (state, index + 1)))
        {
            var (id, ago) = (Id(store, number), store.Ago(600));
            var (readyAt, endedAt) = (state == "starting" ? "NULL" : ago, state == "ended" ? ago : "NULL");
            var (reason, text) = state switch { "ending" => ("'idle'", "'30 minutes'"), "ended" => ("'crashed'", "'exit code 1'"), _ => ("NULL", "NULL") };
            await store.ExecuteAsync($$$"""
                INSERT INTO sessions (id, namespace, name, incarnation, kind, platform, state, team, environment, opened_by, owner_replica, address, runtime_id, opened_at, ready_at, last_activity_at, ended_at, end_reason, end_detail)
                VALUES ('{{{id}}}', 'sjns-ml-dev', '{{{state}}}', 1, 'on_demand', 'local', '{{{state}}}', 'ml', 'dev', 'alice', '{{{replica}}}', '127.0.0.1:20001', '1/1', {{{store.Ago(700)}}}, {{{readyAt}}}, {{{readyAt}}}, {{{endedAt}}}, {{{reason}}}, {{{text}}});
                INSERT INTO bindings (key, claimed_user, client_session_prefix, session_row_id, state, via)
                VALUES ({{{(store.IsPostgres ? $"'\\x{Convert.ToHexString(Key(state).Hash())}'" : $"x'{Convert.ToHexString(Key(state).Hash())}'")}}}, 'alice', '{{{Key(state).Prefix}}}', '{{{id}}}', '{{{(state == "ended" ? "ended" : "bound")}}}', 'ondemand');
                INSERT INTO audit_log (actor, action, namespace, session_name, session_row_id, team, claimed_user, client_session_prefix, detail, replica)
                VALUES ('alice', 'open', 'sjns-ml-dev', '{{{state}}}', '{{{id}}}', 'ml', 'alice', NULL, '{}', '{{{replica}}}'),
                       ('alice', 'bind', 'sjns-ml-dev', '{{{state}}}', '{{{id}}}', 'ml', 'alice', '{{{Key(state).Prefix}}}', '{"via":"ondemand"}', '{{{replica}}}');
                """);
            if (state != "starting")
                await store.ExecuteAsync($"INSERT INTO audit_log (actor, action, namespace, session_name, session_row_id, team, claimed_user, replica) VALUES ('spark-gateway', 'ready', 'sjns-ml-dev', '{state}', '{id}', 'ml', 'alice', '{replica}')");
            if (state == "ended")
                await store.ExecuteAsync($$"""INSERT INTO audit_log (actor, action, namespace, session_name, session_row_id, team, claimed_user, reason, detail, replica) VALUES ('spark-gateway', 'end', 'sjns-ml-dev', 'ended', '{{id}}', 'ml', 'alice', 'crashed', '{"text":"exit code 1"}', '{{replica}}')""");
        }

        await store.ExecuteAsync($"""
            INSERT INTO sessions (id, namespace, name, incarnation, kind, platform, state, address) VALUES ('{Id(store, 5)}', 'byod', 'mine', 1, 'attached', 'config', 'ready', '10.0.0.1:15002');
            INSERT INTO audit_log (actor, action, namespace, session_name, session_row_id, replica) VALUES ('spark-gateway', 'attach', 'byod', 'mine', '{Id(store, 5)}', '{replica}');
            """);
    }

    /// <summary>EF writes ids in capitals to SQLite.</summary>
    private static string Id(TestStore store, int number) => store.IsPostgres ? $"{number:d8}-aaaa-4000-8000-000000000000" : $"{number:d8}-AAAA-4000-8000-000000000000";

    /// <summary>Every column of the first version, and what the view says that does not depend on the time.</summary>
    private static async Task<string> Everything(TestStore store)
    {
        var text = new StringBuilder();
        string[] queries =
        [
            "SELECT id, namespace, name, incarnation, kind, platform, state, team, environment, opened_by, owner_replica, address, runtime_id, opened_at, ready_at, last_activity_at, busy_until, ended_at, end_reason, end_detail FROM sessions ORDER BY id",
            "SELECT claimed_user, client_session_prefix, session_row_id, state, via, created_at, released_at FROM bindings ORDER BY session_row_id",
            "SELECT id, host, started_at, heartbeat_at, steady_since FROM replicas",
            "SELECT * FROM audit_log ORDER BY id",
            $"SELECT {Columns} FROM session_audit ORDER BY session_row_id",
        ];
        foreach (var query in queries)
        {
            var rows = await store.QueryAsync(query);
            Assert.NotEmpty(rows);
            foreach (var row in rows) text.AppendLine(string.Join('|', row.Values));
        }

        return text.ToString();
    }
}
