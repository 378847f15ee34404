using System.Data;
using DbUp.Engine;
using DbUp.Engine.Transactions;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>
/// DbUp's journal in our own table: DbUp's own is made with SERIAL. The entry is written in the script's transaction, and
/// its primary key refuses a script that somebody else has run meanwhile.
/// </summary>
internal sealed class SchemaJournal(Func<IConnectionManager> connections) : IJournal
{
    public string[] GetExecutedScripts() => connections().ExecuteCommandsWithManagedConnection(commands =>
    {
        using var command = commands();
        command.CommandText = "SELECT name FROM schema_migrations ORDER BY name";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names.ToArray();
    });

    public void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory)
    {
        using var command = dbCommandFactory();
        command.CommandText = "INSERT INTO schema_migrations (name) VALUES (@name)";
        var name = command.CreateParameter();
        name.ParameterName = "name";
        name.Value = script.Name;
        command.Parameters.Add(name);
        command.ExecuteNonQuery();
    }

    public void EnsureTableExistsAndIsLatestVersion(Func<IDbCommand> dbCommandFactory)
    {
        // journal.sql has made it.
    }
}
