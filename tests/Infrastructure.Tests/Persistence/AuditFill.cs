using System.Globalization;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>
/// An audit of any size, made in the database: 500 users, 20 teams, 3 replicas; sessions that begin one after the other from January 2029
/// to February 2030, so that January 2030, which docs/audit.md asks about, is a fourteenth of it.
/// </summary>
internal static class AuditFill
{
    private const double RowsOfASession = 6.3;
    private const int Days = 424;

    /// <summary>Returns how many rows there are.</summary>
    public static async Task<long> FillAsync(TestStore store, long rows)
    {
        var sessions = (long)(rows / RowsOfASession);
        await store.ExecuteAsync(Insert(store.IsPostgres, sessions), commandTimeout: 0);
        await store.ExecuteAsync(store.IsPostgres ? "VACUUM ANALYZE audit_log" : "ANALYZE", commandTimeout: 0);
        return long.Parse((await store.QueryAsync("SELECT count(*) AS rows FROM audit_log")).Single()["rows"], CultureInfo.InvariantCulture);
    }

    private static string Insert(bool isPostgres, long sessions)
    {
        var step = Days * 86_400L / sessions;
        var at = isPostgres
            ? $"TIMESTAMPTZ '2029-01-01T00:00:00Z' + (n * {step} + after) * INTERVAL '1 second'"
            : $"strftime('%Y-%m-%dT%H:%M:%fZ', '2029-01-01', (n * {step} + after) || ' seconds')";
        var id = isPostgres ? "CAST(lpad(to_hex(n), 8, '0') || '-0000-4000-8000-000000000000' AS UUID)" : "printf('%08X-0000-4000-8000-000000000000', n)";
        var replica = isPostgres ? "CAST({0} AS UUID)" : "upper({0})";
        var json = isPostgres ? "CAST({0} AS JSONB)" : "{0}";
        return $$"""
            INSERT INTO audit_log (at, actor, action, namespace, session_name, session_row_id, team, claimed_user, client_session_prefix, reason, detail, client_address, user_agent, replica)
            WITH RECURSIVE s (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM s WHERE n < {{sessions}}),
            named AS (
                SELECT n, CASE n % 20 WHEN 0 THEN 'ml' WHEN 1 THEN 'risk' ELSE 'team-' || (n % 20) END AS team,
                       CASE n % 500 WHEN 7 THEN 'cho' ELSE 'user-' || (n % 500) END AS claimed_user,
                       CASE WHEN n % 100 < 60 THEN 'idle' WHEN n % 100 < 75 THEN 'released' WHEN n % 100 < 90 THEN 'max_ttl' WHEN n % 100 < 96 THEN 'crashed' ELSE 'start_failed' END AS why,
                       600 + (n * 7919) % 13800 AS lived
                FROM s
            ),
            events AS (
                SELECT named.*, kind, CASE WHEN kind IN ('release', 'ending') THEN lived - 5 WHEN kind = 'end' THEN lived ELSE begun END AS after
                FROM named CROSS JOIN (
                    SELECT 'open' AS kind, 0 AS begun UNION ALL SELECT 'bind', 0 UNION ALL SELECT 'again', 300 UNION ALL SELECT 'ready', 20
                    UNION ALL SELECT 'release', 0 UNION ALL SELECT 'ending', 0 UNION ALL SELECT 'end', 0 UNION ALL SELECT 'extend', 400 UNION ALL SELECT 'deny', 500) kinds
                WHERE (kind NOT IN ('bind', 'release') OR n % 50 <> 0) AND (kind <> 'again' OR n % 3 = 1) AND (kind <> 'extend' OR n % 200 = 1) AND (kind <> 'deny' OR n % 20 = 1)
            )
            SELECT {{at}}, CASE WHEN kind IN ('ready', 'ending', 'end') THEN 'spark-gateway' WHEN kind = 'extend' THEN 'ops as jane (unverified)' ELSE claimed_user END,
                   CASE kind WHEN 'again' THEN 'bind' ELSE kind END, CASE kind WHEN 'deny' THEN NULL ELSE 'sjns-' || CASE n WHEN {{sessions / 2}} THEN 'risk' ELSE team END || '-dev' END,
                   CASE WHEN kind = 'deny' THEN NULL WHEN n = {{sessions / 2}} THEN 'spark-connect-risk-b1c2' ELSE 'spark-connect-' || team || '-' || n END,
                   CASE kind WHEN 'deny' THEN NULL ELSE {{id}} END, CASE kind WHEN 'deny' THEN NULL ELSE team END, CASE kind WHEN 'again' THEN 'user-' || (n % 17) ELSE claimed_user END,
                   CASE WHEN kind IN ('bind', 'release') THEN 'c' || (1000000 + n % 1000000) WHEN kind = 'again' THEN 'd' || (1000000 + n % 1000000) END,
                   CASE WHEN kind IN ('ending', 'end') THEN why WHEN kind = 'deny' THEN 'team ml may not use environment prod' END,
                   {{Of(json, """CASE kind WHEN 'open' THEN '{"platform":"kubernetes","environment":"dev"}' WHEN 'bind' THEN '{"via":"ondemand"}' WHEN 'again' THEN '{"via":"header"}' WHEN 'deny' THEN '{"code":"permission_denied","calls":"3"}' WHEN 'extend' THEN '{"minutes":"60","max_ttl_at":"2030-01-01T00:00:00Z"}' WHEN 'ready' THEN '{"address":"10.0.0.1:15002","runtime_id":"pod"}' ELSE '{"text":"30 minutes, last used at 2030-01-01 00:00:00 UTC"}' END""")}},
                   CASE WHEN kind IN ('ready', 'ending', 'end') THEN '' ELSE '10.1.' || (n % 250) || '.' || (n % 2) || ':' || (40000 + n % 20000) END,
                   'grpc-python/1.' || (60 + n % 17),
                   {{Of(replica, "CASE n % 3 WHEN 0 THEN 'aaaaaaaa' WHEN 1 THEN 'bbbbbbbb' ELSE 'cccccccc' END || '-0000-4000-8000-000000000001'")}}
            FROM events
            ORDER BY n, after
            """;
    }

    private static string Of(string form, string value) => form.Replace("{0}", value, StringComparison.Ordinal);
}
