using System.Data.Common;
using DbUp;
using DbUp.Builder;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>PostgreSQL, or CockroachDB as far as its dialect goes.</summary>
internal sealed class PostgresDialect : StoreDialect
{
    /// <summary>The server ends a statement first; this margin is for a server that no longer answers.</summary>
    private const int AnswerMarginSeconds = 2;

    private readonly NpgsqlConnectionStringBuilder serving;
    private readonly NpgsqlConnectionStringBuilder migrating;

    private PostgresDialect(string connectionString, StoreOptions options)
    {
        serving = Build(connectionString, options, options.StatementTimeoutSeconds);
        migrating = Build(connectionString, options, MigrationLock.ExpirySeconds);
        migrating.Pooling = false;
    }

    public override StoreKind Kind => StoreKind.Postgres;

    public override string Title => "PostgreSQL";

    public override string Place => $"database {serving.Database} at {serving.Host}:{serving.Port}";

    public static Result<StoreDialect> With(string connectionString, StoreOptions options, string file)
    {
        try
        {
            return new PostgresDialect(connectionString, options);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException)
        {
            // The exception may quote the line, and with it the password.
            return GatewayError.Invalid($"The file {file} of store.connection_string_file holds no PostgreSQL connection string; its one line looks like Host=db;Database=spark_gateway;Username=...;Password=...");
        }
    }

    public override string SecondsFromNow(int seconds) => $"now() + INTERVAL '{seconds} seconds'";

    public override string CountTable(string table) =>
        $"SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '{table}'";

    public override void Configure(DbContextOptionsBuilder options) => options.UseNpgsql(serving.ConnectionString);

    public override DbConnection Connect() => new NpgsqlConnection(migrating.ConnectionString);

    public override UpgradeEngineBuilder Upgrade() => DeployChanges.To.PostgresqlDatabase(migrating.ConnectionString);

    public override bool IsRace(DbException exception) => exception is PostgresException
    {
        SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject,
    };

    public override string CodeOf(DbException exception) => exception.SqlState is { } state ? $"SQLSTATE {state}" : "no answer";

    private static NpgsqlConnectionStringBuilder Build(string connectionString, StoreOptions options, int statementSeconds)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = options.PoolSize,
            Timeout = options.StatementTimeoutSeconds,
            CommandTimeout = statementSeconds + AnswerMarginSeconds,
            IncludeErrorDetail = false,
            ApplicationName = "spark-gateway",
        };
        builder.Options = $"{builder.Options} -c statement_timeout={statementSeconds}s -c lock_timeout={options.LockTimeoutSeconds}s".Trim();
        return builder;
    }
}
