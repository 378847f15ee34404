using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class AuditPruneTests
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(400);

    [Theory, EachStore]
    public async Task Prune_OldRows_GoWithTheirWholeSessionOnceItHasEnded(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var old = await EndedAsync(store);
        var forgotten = await EndedAsync(store);
        var endedLately = await EndedAsync(store);
        var live = (await store.OpenReadyAsync()).Session;
        var attached = (await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("byod", "mine"), "10.0.0.1:15002", null)], CancellationToken.None)).Value.Single();
        await store.Sessions.RecordDenialAsync(TestStore.Denial(TestStore.Key()), CancellationToken.None);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", $"session_row_id IS NULL OR NOT (session_row_id = '{Text(store, endedLately)}' AND action = 'end')");
        await store.ExecuteAsync($"DELETE FROM bindings WHERE session_row_id = '{Text(store, forgotten)}'; DELETE FROM sessions WHERE id = '{Text(store, forgotten)}'");
        await store.Sessions.RecordDenialAsync(TestStore.Denial(TestStore.Key(), "young"), CancellationToken.None);
        var before = await Kept(store);
        var pruner = Pruner(store);

        // Open, bind, ready and end of two sessions, and a denial.
        Assert.Equal(9, (await pruner.CountAsync(Age, CancellationToken.None)).Value.Rows);
        Assert.Equal(before, await Kept(store));
        var report = (await pruner.PruneAsync(Age, "root as jane (unverified)", batchRows: 4, CancellationToken.None)).Value;

        Assert.Equal(9, report.Rows);
        var gone = new[] { old, forgotten }.Select(session => session.Id).ToHashSet();
        Assert.DoesNotContain(await Kept(store), row => row.Session is { } id && gone.Contains(id));
        Assert.Equal(before.Where(row => row.Reason == "young" || (row.Session is { } id && !gone.Contains(id))), (await Kept(store)).Where(row => row.Action != "prune"));
        Assert.All(new[] { endedLately, live, attached }, session => Assert.Contains(before, row => row.Session == session.Id));
        var prunes = await store.QueryAsync("SELECT actor, user_agent, detail ->> 'rows' AS rows, detail ->> 'cut_off' AS cut_off FROM audit_log WHERE action = 'prune' ORDER BY id");
        Assert.Equal(["4", "4", "1"], prunes.Select(row => row["rows"]));
        Assert.All(prunes, row => Assert.Equal(("root as jane (unverified)", "spark-gateway audit prune"), (row["actor"], row["user_agent"])));
        Assert.All(prunes, row => Assert.Equal(report.CutOff.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), row["cut_off"][..10]));
    }

    [Theory, EachStore]
    public async Task Prune_RowsOfEarlierPrunes_Stay(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await EndedAsync(store);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", "1 = 1");
        var pruner = Pruner(store);
        await pruner.PruneAsync(Age, "root", 100, CancellationToken.None);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", "1 = 1");

        Assert.Equal(0, (await pruner.PruneAsync(Age, "root", 100, CancellationToken.None)).Value.Rows);
        Assert.Equal(["prune"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task Prune_AuditRowFails_DeletesNothingAndTheLogIsAppendOnlyStill(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await EndedAsync(store);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", "1 = 1");
        var before = await Kept(store);
        await store.ExecuteAsync(store.IsPostgres
            ? "ALTER TABLE audit_log ADD CONSTRAINT audit_full CHECK (action <> 'prune')"
            : "CREATE TRIGGER audit_full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END");

        var failed = await Pruner(store).PruneAsync(Age, "root", 2, CancellationToken.None);

        Assert.Contains("0 rows were deleted before that", failed.Error!.Text, StringComparison.Ordinal);
        Assert.Equal(before, await Kept(store));
        await Assert.ThrowsAnyAsync<DbException>(() => store.ExecuteAsync($"{(store.IsPostgres ? "SET ROLE spark_gateway_app; " : "")}DELETE FROM audit_log"));
    }

    [Theory, EachStore]
    public async Task Prune_Done_TheLogIsAppendOnlyStill(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await EndedAsync(store);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", "action <> 'end'");
        await store.Sessions.RecordDenialAsync(TestStore.Denial(TestStore.Key()), CancellationToken.None);
        await store.RewriteAuditAsync($"at = {store.Ago(401 * 86_400)}", "action = 'deny'");

        Assert.Equal(1, (await Pruner(store).PruneAsync(Age, "root", 100, CancellationToken.None)).Value.Rows);

        foreach (var statement in new[] { "DELETE FROM audit_log", "UPDATE audit_log SET actor = 'nobody'" })
            await Assert.ThrowsAnyAsync<DbException>(() => store.ExecuteAsync($"{(store.IsPostgres ? "SET ROLE spark_gateway_app; " : "")}{statement}"));
        Assert.Equal(["open", "bind", "ready", "end", "prune"], await store.ActionsAsync());
    }

    [Fact]
    public async Task Prune_WithTheRightsOfServe_SaysWhoseAreNeeded()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        await EndedAsync(store);

        var refused = await store.First.GetRequiredService<AuditPruner>().PruneAsync(Age, "root", 100, CancellationToken.None);

        Assert.Equal(ErrorCode.PermissionDenied, refused.Error!.Code);
        Assert.Contains("--owner-connection-string-file", refused.Error.Text, StringComparison.Ordinal);
    }

    private static AuditPruner Pruner(TestStore store) => store.AddProcessAs(TestStore.OwnerRole).GetRequiredService<AuditPruner>();

    private static async Task<Session> EndedAsync(TestStore store)
    {
        var ready = (await store.OpenReadyAsync()).Session;
        await store.Sessions.EndAsync(ready.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        return ready;
    }

    /// <summary>EF writes ids in capitals to SQLite.</summary>
    private static string Text(TestStore store, Session session) => store.IsPostgres ? session.Id.ToString() : session.Id.ToString().ToUpperInvariant();

    private static async Task<List<(string Id, string Action, string Reason, Guid? Session)>> Kept(TestStore store) =>
        [.. (await store.QueryAsync("SELECT * FROM audit_log ORDER BY id")).Select(row => (row["id"], row["action"], row["reason"], Guid.TryParse(row["session_row_id"], out var id) ? id : (Guid?)null))];
}
