using System.Data.Common;
using System.Net.Sockets;
using DbUp.Builder;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The schema of a store against the migrations that this binary carries.</summary>
public enum SchemaState
{
    Current,

    /// <summary>`migrate` has work.</summary>
    Older,

    /// <summary>A newer binary migrated it; this one is too old.</summary>
    Newer,

    /// <summary>Nothing there yet; `migrate` has work.</summary>
    Empty,
}

/// <param name="Store">Which store, for people.</param>
/// <param name="Applied">Names of the migrations that ran now; none: it was current.</param>
/// <param name="Notes">What an operator should know although the migration succeeded.</param>
public sealed record MigrationReport(string Store, IReadOnlyList<string> Applied, IReadOnlyList<string> Notes);

/// <summary>Brings the store's schema to what this binary needs: plain SQL of migrations/, run by DbUp under the migration lock.</summary>
public sealed class Migrator(GatewayOptions options, TimeProvider clock, ILogger<Migrator> logger)
{
    private const string Command = "spark-gateway migrate --config FILE";

    /// <summary>All SQL of that database as text, for a DBA who runs it by hand.</summary>
    public static string Script(StoreKind kind) => MigrationScripts.For(kind).Print();

    /// <summary>What `serve` asks first: migrates SQLite; of PostgreSQL it wants the schema as this binary knows it.</summary>
    public async Task<Result<bool>> PrepareToServeAsync(CancellationToken cancellation)
    {
        if (!StoreDialect.From(options).TryGet(out var dialect, out var error)) return error;

        if (dialect.Kind == StoreKind.Sqlite)
            return (await MigrateAsync(cancellation)).TryGet(out _, out error) ? true : error;

        if (!(await CheckAsync(cancellation)).TryGet(out var state, out error)) return error;
        return state switch
        {
            SchemaState.Current => true,
            SchemaState.Newer => Newer(dialect),
            _ => GatewayError.Invalid($"The store ({dialect.Title}, {dialect.Place}) has {(state == SchemaState.Empty ? "no schema yet" : "an older schema than this spark-gateway needs")}; run `{Command}` and start again."),
        };
    }

    public Task<Result<SchemaState>> CheckAsync(CancellationToken cancellation) =>
        WithConnectionAsync<SchemaState>(async (connection, dialect) => await CompareAsync(connection, dialect, cancellation), cancellation);

    public Task<Result<MigrationReport>> MigrateAsync(CancellationToken cancellation) =>
        WithConnectionAsync<MigrationReport>(async (connection, dialect) =>
        {
            if (await CompareAsync(connection, dialect, cancellation) == SchemaState.Newer) return Newer(dialect);

            var scripts = MigrationScripts.For(dialect.Kind);
            var patience = TimeSpan.FromSeconds(options.Store.LockTimeoutSeconds);
            if (!(await MigrationLock.AcquireAsync(connection, dialect, scripts.Journal, patience, clock, cancellation)).TryGet(out var held, out var error)) return error;

            await using (held)
            {
                if (!Upgrade(dialect, scripts).TryGet(out var applied, out error)) return error;
                foreach (var name in applied) logger.Migrated(dialect.Title, dialect.Place, name);
                var notes = scripts.Roles is null ? [] : await RoleSetup.RunAsync(connection, scripts.Roles, cancellation);
                return new MigrationReport($"{dialect.Title}, {dialect.Place}", applied, notes);
            }
        }, cancellation);

    private static Result<IReadOnlyList<string>> Upgrade(StoreDialect dialect, MigrationScripts scripts)
    {
        var result = dialect.Upgrade()
            .WithScripts(scripts.Numbered)
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .JournalTo((connections, _) => new SchemaJournal(connections))
            .LogToNowhere()
            .WithExecutionTimeout(TimeSpan.FromSeconds(MigrationLock.ExpirySeconds))
            .Build()
            .PerformUpgrade();
        return result.Successful
            ? Result<IReadOnlyList<string>>.Ok([.. result.Scripts.Select(script => script.Name)])
            : GatewayError.Unavailable(Blame.Gateway,
                $"Migration {result.ErrorScript?.Name ?? "of the schema"} failed on the store ({dialect.Title}, {dialect.Place}): {result.Error.Message} It was rolled back; mend the cause and run `{Command}` again.");
    }

    private static async Task<SchemaState> CompareAsync(DbConnection connection, StoreDialect dialect, CancellationToken cancellation)
    {
        var tables = await Sql.ReadAsync(connection, dialect.CountTable("schema_migrations"), row => row.GetInt64(0), cancellation);
        if (tables.Single() == 0) return SchemaState.Empty;

        var there = await Sql.ReadAsync(connection, "SELECT name FROM schema_migrations", row => row.GetString(0), cancellation);
        var known = MigrationScripts.For(dialect.Kind).Numbered.Select(script => script.Name).ToList();
        if (there.Except(known).Any()) return SchemaState.Newer;
        if (there.Count == 0) return SchemaState.Empty;
        return known.Except(there).Any() ? SchemaState.Older : SchemaState.Current;
    }

    private static GatewayError Newer(StoreDialect dialect) =>
        GatewayError.Invalid($"The store ({dialect.Title}, {dialect.Place}) has a newer schema than this spark-gateway knows; start the version whose `{Command}` ran last.");

    private async Task<Result<T>> WithConnectionAsync<T>(Func<DbConnection, StoreDialect, Task<Result<T>>> work, CancellationToken cancellation)
    {
        if (!StoreDialect.From(options).TryGet(out var dialect, out var error)) return error;
        try
        {
            await using var connection = dialect.Connect();
            await connection.OpenAsync(cancellation);
            if (dialect.Prepare.Length > 0) await Sql.ExecuteAsync(connection, dialect.Prepare, cancellation);
            return await work(connection, dialect);
        }
        catch (Exception e) when (e is DbException or TimeoutException or SocketException or IOException)
        {
            return GatewayError.Unavailable(Blame.Gateway, $"The store ({dialect.Title}, {dialect.Place}) cannot be used: {e.Message} See that it runs, that {(dialect.Kind == StoreKind.Sqlite ? "state_dir" : "store.connection_string_file")} is right, and that the user has the rights.");
        }
    }
}
