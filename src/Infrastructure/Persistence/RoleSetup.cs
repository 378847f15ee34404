using System.Data.Common;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Runs roles.sql statement by statement: roles belong to the whole server, so they may be there already, or be somebody else's to make.</summary>
internal static class RoleSetup
{
    private const string DuplicateObject = "42710";
    private const string UniqueViolation = "23505";
    private const string InsufficientPrivilege = "42501";
    private const string UndefinedObject = "42704";

    public static async Task<IReadOnlyList<string>> RunAsync(DbConnection connection, string sql, CancellationToken cancellation)
    {
        var refused = 0;
        foreach (var statement in Statements(sql))
        {
            try
            {
                await Sql.ExecuteAsync(connection, statement, cancellation);
            }
            catch (DbException e) when (e.SqlState is DuplicateObject or UniqueViolation)
            {
                // There already, or made by another database's migration at this moment.
            }
            catch (DbException e) when (e.SqlState is InsufficientPrivilege or UndefinedObject)
            {
                // A role that this user may not create can be there all the same: then its grants succeed.
                if (statement.StartsWith("GRANT", StringComparison.Ordinal)) refused++;
            }
        }

        return refused == 0 ? [] : ["The roles spark_gateway_owner, spark_gateway_app and spark_gateway_reader are not set up, because this user may not create roles; the store works without them, but only they keep the audit append-only. A database administrator can run the roles part at the end of `spark-gateway migrate --script`."];
    }

    private static IEnumerable<string> Statements(string sql)
    {
        var lines = sql.Split('\n').Where(line => !line.StartsWith("--", StringComparison.Ordinal));
        return string.Join('\n', lines).Split(';').Select(statement => statement.Trim()).Where(statement => statement.Length > 0);
    }
}
