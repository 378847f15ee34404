using System.Data.Common;
using DbUp.Builder;
using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

public enum StoreKind
{
    Sqlite,
    Postgres,
}

/// <summary>What differs between the two databases; all else is one code path.</summary>
internal abstract class StoreDialect
{
    public abstract StoreKind Kind { get; }

    /// <summary>For users: "PostgreSQL", "SQLite".</summary>
    public abstract string Title { get; }

    /// <summary>For operators: host and database, or the file; never a credential.</summary>
    public abstract string Place { get; }

    /// <summary>SQL of a point in time that many seconds from now.</summary>
    public abstract string SecondsFromNow(int seconds);

    /// <summary>SQL that answers 1 if the table is there, else 0.</summary>
    public abstract string CountTable(string table);

    /// <summary>What the migrator says first; empty: nothing.</summary>
    public virtual string Prepare => "";

    public abstract void Configure(DbContextOptionsBuilder options);

    /// <summary>For migrations: no statement outlives the migration lock.</summary>
    public abstract DbConnection Connect();

    public abstract UpgradeEngineBuilder Upgrade();

    /// <summary>The change lost a race and may win, or read the winner, when it runs again.</summary>
    public abstract bool IsRace(DbException exception);

    /// <summary>Code of the failure, for the text: SQLSTATE or SQLite's result code.</summary>
    public abstract string CodeOf(DbException exception);

    public static Result<StoreDialect> From(GatewayOptions options)
    {
        if (options.Store.Kind == "sqlite") return SqliteDialect.In(options.StateDir, options.Store);

        var file = options.Store.ConnectionStringFile;
        try
        {
            var line = File.ReadLines(file).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));
            return line is null
                ? GatewayError.Invalid($"The file {file} of store.connection_string_file is empty; write one line into it, e.g. Host=db;Database=spark_gateway;Username=...;Password=...")
                : PostgresDialect.With(line.Trim(), options.Store, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return GatewayError.Invalid($"The file '{file}' of store.connection_string_file cannot be read ({e.GetType().Name}); store.kind postgres needs it: one line, a PostgreSQL connection string.");
        }
    }
}
