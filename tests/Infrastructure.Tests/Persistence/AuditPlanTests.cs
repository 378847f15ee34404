using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>The questions of docs/audit.md are answered from indexes.</summary>
public sealed partial class AuditPlanTests
{
    private const string RowsVariable = "SPARK_GATEWAY_AUDIT_ROWS";
    private const int Rows = 20_000;

    [Fact]
    public async Task Plans_OnPostgres_ReadTheLogByAnIndexOnly()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        await AuditFill.FillAsync(store, Rows);

        foreach (var question in AuditPage.Questions)
        {
            var plan = (string)(await store.ReadAsync($"SET enable_seqscan = off; EXPLAIN (FORMAT JSON) {question.PostgresSql}"))[1].Single()!;
            using var document = JsonDocument.Parse(plan);
            var scans = ScansOf(document.RootElement[0].GetProperty("Plan")).ToList();

            Assert.NotEmpty(scans);
            Assert.All(scans, scan => Assert.True(
                scan.TryGetProperty("Index Cond", out _) || scan.TryGetProperty("Recheck Cond", out _) || IsSmall(scan),
                $"{question.Title} reads all of audit_log: {plan}"));
            Assert.Contains(scans, scan => IsSelective(scan.TryGetProperty("Index Cond", out var by) || scan.TryGetProperty("Recheck Cond", out by) ? by.GetString()! : ""));
        }
    }

    [Fact]
    public async Task Plans_OnSqlite_ReadTheLogByAnIndexOnly()
    {
        await using var store = await TestStore.CreateAsync("sqlite");
        await AuditFill.FillAsync(store, Rows);

        foreach (var question in AuditPage.Questions)
        {
            var plan = (await store.QueryAsync($"EXPLAIN QUERY PLAN {question.SqliteSql}")).Select(row => row["detail"]).ToList();

            Assert.DoesNotContain(plan, step => AllOfTheLog().IsMatch(step));
            Assert.Contains(plan, step => step.Contains("USING INDEX audit_log_", StringComparison.Ordinal) || step.Contains("USING COVERING INDEX audit_log_", StringComparison.Ordinal));
        }
    }

    /// <summary>A measurement, not a test: it writes as many rows as the variable says, and times the questions.</summary>
    [Fact(Explicit = true)]
    public async Task Questions_ToALogOfManyRows_AreTimed()
    {
        var rows = long.Parse(Environment.GetEnvironmentVariable(RowsVariable) ?? "100000", CultureInfo.InvariantCulture);
        await using var store = await TestStore.CreateAsync("postgres");
        var output = TestContext.Current.TestOutputHelper!;
        var began = Stopwatch.GetTimestamp();
        output.WriteLine($"{await AuditFill.FillAsync(store, rows)} rows in {Stopwatch.GetElapsedTime(began)}");
        foreach (var row in await store.QueryAsync("SELECT relname, pg_size_pretty(pg_relation_size(oid)) AS size FROM pg_class WHERE relname LIKE 'audit_log%' AND relkind IN ('r', 'i') ORDER BY 1"))
            output.WriteLine($"{row["relname"]}: {row["size"]}");

        foreach (var question in AuditPage.Questions)
        {
            // The first run reads from the disk, the second from memory.
            foreach (var run in new[] { "cold", "warm" })
            {
                var plan = (await store.ReadAsync($"EXPLAIN (ANALYZE, BUFFERS) {question.PostgresSql}")).Skip(1).Select(line => (string)line[0]!).ToList();
                output.WriteLine($"## {question.Title} ({run})");
                foreach (var line in plan) output.WriteLine(line);
            }
        }
    }

    private static IEnumerable<JsonElement> ScansOf(JsonElement node)
    {
        if (node.TryGetProperty("Relation Name", out var table) && table.GetString() == "audit_log") yield return node;
        if (!node.TryGetProperty("Plans", out var children)) yield break;
        foreach (var scan in children.EnumerateArray().SelectMany(ScansOf)) yield return scan;
    }

    /// <summary>One of the indexes that hold a few columns of one action.</summary>
    private static bool IsSmall(JsonElement scan) =>
        scan.GetProperty("Node Type").GetString() == "Index Only Scan" && scan.GetProperty("Index Name").GetString() is "audit_log_opened" or "audit_log_ended" or "audit_log_bound";

    /// <summary>By a range of time, or by a session.</summary>
    private static bool IsSelective(string condition) =>
        condition.Contains("at >=", StringComparison.Ordinal) || condition.Contains("session_name =", StringComparison.Ordinal);

    [GeneratedRegex(@"^SCAN (o|e|b|r|l|audit_log)\b")]
    private static partial Regex AllOfTheLog();
}
