using System.Data.Common;
using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class AuditTests
{
    [Theory, EachStore]
    public async Task AuditLog_UpdateOrDelete_IsRefused(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await store.OpenAsync();
        var asApp = store.IsPostgres ? "SET ROLE spark_gateway_app; " : "";

        string[] statements =
        [
            "UPDATE audit_log SET actor = 'nobody'",
            "DELETE FROM audit_log",
            store.IsPostgres ? "TRUNCATE audit_log" : "INSERT OR REPLACE INTO audit_log (id, actor, action, replica) SELECT id, 'nobody', action, replica FROM audit_log",
        ];
        foreach (var statement in statements)
        {
            var refusal = await Assert.ThrowsAnyAsync<DbException>(() => store.ExecuteAsync(asApp + statement));
            Assert.Contains(store.IsPostgres ? "permission denied" : "append-only", refusal.Message);
        }

        Assert.All(await store.QueryAsync("SELECT actor FROM audit_log"), row => Assert.Equal("alice", row["actor"]));
    }

    [Theory, EachStore]
    public async Task Change_AuditRowFails_LeavesNothingOfTheChange(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var opened = await store.OpenAsync();
        var ready = await store.OpenReadyAsync();
        var before = await Everything(store);
        await RefuseAuditRows(store);
        var key = TestStore.Key();

        GatewayError?[] errors =
        [
            (await store.Sessions.OpenAsync(store.NewSession(), key, TestStore.NoLimits, TestStore.Alice, CancellationToken.None)).Error,
            (await store.Sessions.BindAsync(key, ready.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None)).Error,
            (await store.Sessions.MarkReadyAsync(opened.Session.Id, store.Self.Id, "127.0.0.1:20001", "1/1", TimeSpan.FromHours(4), CancellationToken.None)).Error,
            (await store.Sessions.ReleaseAsync(ready.Binding.Key, TestStore.Alice, CancellationToken.None)).Error,
            (await store.Sessions.EndAsync(ready.Session.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None)).Error,
            (await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "mine"), "10.0.0.1:15002", null)], CancellationToken.None)).Error,
            (await store.Sessions.HeartbeatAsync(new Replica(Guid.NewGuid(), "here", IsOnly: true), CancellationToken.None)).Error,
            (await store.Sessions.RecordDenialAsync(TestStore.Denial(key), CancellationToken.None)).Error,
        ];

        Assert.All(errors, error => Assert.Equal(ErrorCode.Unavailable, error?.Code));
        Assert.Equal(before, await Everything(store));
    }

    [Theory, EachStore]
    public async Task RecordDenial_RefusedCall_WritesWhoAndWhy(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var key = TestStore.Key();

        await store.Sessions.RecordDenialAsync(TestStore.Denial(key, "team ml may not use environment prod", calls: 3), CancellationToken.None);

        var row = Assert.Single(await store.QueryAsync("SELECT *, detail ->> 'code' AS code, detail ->> 'calls' AS calls FROM audit_log"));
        Assert.Equal(("permission_denied", "3"), (row["code"], row["calls"]));
        Assert.Equal(("deny", "alice", "alice", key.Prefix), (row["action"], row["actor"], row["claimed_user"], row["client_session_prefix"]));
        Assert.Equal(("team ml may not use environment prod", "10.0.0.7:4711", "grpc-python/1.76"), (row["reason"], row["client_address"], row["user_agent"]));
        Assert.Equal(store.Self.Id, Guid.Parse(row["replica"]));
    }

    [Theory, EachStore]
    public async Task RecordDenial_RequestToTheAdminApi_NamesTheOperatorAndTheRequest(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var denial = new Denial(null, ErrorCode.SessionChanged, "has ended", 1, new Caller("ops as jane (unverified)", "127.0.0.1:9", "curl/8"), "POST /api/v1/sessions/a/b/extend");

        await store.Sessions.RecordDenialAsync(denial, CancellationToken.None);

        var row = Assert.Single(await store.QueryAsync("SELECT *, detail ->> 'request' AS request FROM audit_log"));
        Assert.Equal(("deny", "ops as jane (unverified)", "", ""), (row["action"], row["actor"], row["claimed_user"], row["client_session_prefix"]));
        Assert.Equal("POST /api/v1/sessions/a/b/extend", row["request"]);
    }

    [Theory, EachStore]
    public async Task SessionAudit_ALife_SaysWhoUsedWhatWhenHowLongAndWhyItEnded(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await store.OpenReadyAsync();
        var clone = TestStore.Key("bob");
        await store.Sessions.BindAsync(clone, first.Session.Id, BoundVia.Clone, TestStore.Alice with { User = "bob" }, CancellationToken.None);
        await store.Sessions.ReleaseAsync(clone, TestStore.Alice, CancellationToken.None);
        await store.Sessions.EndAsync(first.Session.Id, EndReason.Crashed, "exit code 137", Caller.Gateway, CancellationToken.None);
        await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "mine"), "10.0.0.1:15002", null)], CancellationToken.None);
        await store.ExecuteAsync("DELETE FROM bindings; DELETE FROM sessions WHERE kind = 'on_demand'");

        var rows = await store.QueryAsync("SELECT * FROM session_audit ORDER BY kind DESC, used_by");

        Assert.Equal(["alice", "bob", ""], rows.Select(row => row["used_by"]));
        Assert.Equal(["ondemand", "clone", ""], rows.Select(row => row["via"]));
        Assert.All(rows[..2], row =>
        {
            Assert.Equal(("on_demand", "ml", "alice", first.Session.Name.Name), (row["kind"], row["team"], row["opened_by"], row["session_name"]));
            Assert.Equal(("crashed", "exit code 137"), (row["end_reason"], row["end_detail"]));
            Assert.All(new[] { "opened_at", "ready_at", "bound_at", "ended_at" }, column => Assert.NotEmpty(row[column]));
            Assert.InRange(decimal.Parse(row["session_seconds"], System.Globalization.CultureInfo.InvariantCulture), 0, 60);
            Assert.InRange(decimal.Parse(row["used_seconds"], System.Globalization.CultureInfo.InvariantCulture), 0, 60);
        });
        Assert.Equal(["", "set"], rows[..2].Select(row => row["released_at"].Length == 0 ? "" : "set"));
        Assert.Equal(("attached", "mine", "", "", ""), (rows[2]["kind"], rows[2]["session_name"], rows[2]["opened_by"], rows[2]["ended_at"], rows[2]["used_seconds"]));
        Assert.NotEmpty(rows[2]["ready_at"]);
    }

    [Theory, EachStore]
    public async Task Tables_AfterEveryChange_HoldNoWholeClientSessionId(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await store.OpenReadyAsync();
        ClientSessionKey[] keys = [first.Binding.Key, TestStore.Key(), TestStore.Key()];
        await store.Sessions.BindAsync(keys[1], first.Session.Id, BoundVia.Clone, TestStore.Alice, CancellationToken.None);
        await store.Sessions.RecordDenialAsync(TestStore.Denial(keys[2]), CancellationToken.None);
        await store.Sessions.ReleaseAsync(keys[1], TestStore.Alice, CancellationToken.None);
        await store.Sessions.EndAsync(first.Session.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);

        var everything = await Everything(store);

        Assert.All(keys, key =>
        {
            Assert.Contains(key.Prefix, everything);
            Assert.DoesNotContain(key.ClientSessionId[..9], everything);
            Assert.DoesNotContain(key.ClientSessionId[9..], everything);
        });
    }

    [Theory]
    [InlineData("CREATE TABLE a (id SERIAL)", "SERIAL")]
    [InlineData("SELECT pg_advisory_lock(1)", "advisory")]
    [InlineData("LISTEN sessions", "LISTEN")]
    [InlineData("LOCK  TABLE sessions", "LOCK  TABLE")]
    [InlineData("DO $$ BEGIN END $$", "DO $")]
    [InlineData("SELECT 1 -- no SERIAL here", null)]
    [InlineData("CREATE INDEX a ON audit_log USING brin (at)", "USING brin")]
    [InlineData("SELECT team FROM audit_log GROUP BY ROLLUP (team)", "ROLLUP")]
    [InlineData("MERGE INTO sessions USING x ON true WHEN MATCHED THEN DELETE", "MERGE INTO")]
    [InlineData("CREATE UNIQUE INDEX a ON sessions (team) NULLS NOT DISTINCT", "NULLS NOT DISTINCT")]
    [InlineData("VACUUM audit_log", "VACUUM")]
    [InlineData("CREATE UNIQUE INDEX a ON audit_log (session_row_id) WHERE action = 'end'", null)]
    [InlineData("CREATE TABLE schema_lock (serial_number INT)", null)]
    public void Lint_Statement_FindsWhatIsRefused(string sql, string? refused) => Assert.Equal(refused, StatementLint.Find(sql));

    private static Task<int> RefuseAuditRows(TestStore store) => store.ExecuteAsync(store.IsPostgres
        ? "ALTER TABLE audit_log ADD CONSTRAINT audit_full CHECK (false) NOT VALID"
        : "CREATE TRIGGER audit_full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END");

    private static async Task<string> Everything(TestStore store)
    {
        var text = new StringBuilder();
        foreach (var table in new[] { "sessions", "bindings", "replicas", "audit_log" })
        {
            foreach (var row in await store.QueryAsync($"SELECT * FROM {table} ORDER BY 1"))
                text.AppendLine(string.Join('|', row.Values));
        }

        return text.ToString();
    }
}
