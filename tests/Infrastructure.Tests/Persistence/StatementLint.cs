using System.Data.Common;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>Fails a statement that CockroachDB would refuse. CockroachDB itself is not run.</summary>
internal sealed partial class StatementLint : DbCommandInterceptor
{
    public List<string> Seen { get; } = [];

    /// <summary>The first thing in the statement that CockroachDB refuses or does not honour; null: none.</summary>
    public static string? Find(string sql)
    {
        var match = Refused().Match(Comment().Replace(sql, ""));
        return match.Success ? match.Value : null;
    }

    public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) =>
        throw new InvalidOperationException($"The store must not block a thread: {command.CommandText}");

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Check(command);
        return ValueTask.FromResult(result);
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Check(command);
        return ValueTask.FromResult(result);
    }

    private void Check(DbCommand command)
    {
        lock (Seen) Seen.Add(command.CommandText);

        // When a driver that was found began is the cluster's time, and is compared with its own kind only.
        var isFound = command.CommandText.Contains("runtime_since", StringComparison.Ordinal);
        if (!isFound && command.Parameters.Cast<DbParameter>().Any(parameter => parameter.Value is DateTime or DateTimeOffset))
            throw new InvalidOperationException($"Times come from the store's clock: {command.CommandText}");
        if (command is not SqliteCommand && Find(command.CommandText) is { } refused) throw new InvalidOperationException($"CockroachDB refuses '{refused}': {command.CommandText}");
    }

    [GeneratedRegex(@"\b(small|big)?serial[248]?\b|advisory|\blisten\b|\bnotify\b|\block\s+table\b|\bdeferrable\b|\bcreate\s+(extension|trigger|rule|domain)\b|\bexclude\s+using\b|\bunlogged\b|\binherits\b|\bdo\s+\$|\bmake_interval\b|\bxmin\b|\bctid\b|\btablesample\b|\bset\s+constraints\b|\busing\s+(brin|hash|spgist|bloom)\b|\b(rollup|cube|grouping\s+sets)\b|\bmerge\s+into\b|\bnulls\s+not\s+distinct\b|\b(vacuum|cluster|reindex)\b|\bdrop\s+owned\b|\bcreate\s+(aggregate|cast|operator|policy|statistics|event)\b|\bxml\b|\bmoney\b|\blanguage\s+plpgsql\b|\bfor\s+key\s+share\b|\bwith\s+hold\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Refused();

    [GeneratedRegex("--[^\n]*")]
    private static partial Regex Comment();
}
