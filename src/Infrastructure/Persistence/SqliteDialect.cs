using System.Data.Common;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>state_dir/gateway.db: for one process. Each change is a BEGIN IMMEDIATE, so changes come one after the other.</summary>
internal sealed class SqliteDialect : StoreDialect
{
    private const int ConstraintPrimaryKey = 1555;
    private const int ConstraintUnique = 2067;

    private readonly string connectionString;
    private readonly string path;
    private readonly BusyTimeout busyTimeout;

    private SqliteDialect(string path, StoreOptions options)
    {
        this.path = path;
        busyTimeout = new BusyTimeout(options.LockTimeoutSeconds);
        connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            ForeignKeys = true,
            DefaultTimeout = options.LockTimeoutSeconds,
        }.ToString();
    }

    public override StoreKind Kind => StoreKind.Sqlite;

    public override string Title => "SQLite";

    public override string Place => path;

    /// <summary>WAL stays set in the file; busy_timeout has to be said on each connection.</summary>
    public override string Prepare => $"PRAGMA journal_mode = WAL; {busyTimeout.Pragma}";

    public static Result<StoreDialect> In(string stateDir, StoreOptions options) => StateDirLock.MakeFolder(stateDir).TryGet(out var folder, out var error)
        ? new SqliteDialect(Path.Combine(folder, "gateway.db"), options)
        : error;

    public override string SecondsFromNow(int seconds) => $"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{seconds} seconds')";

    public override string CountTable(string table) => $"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{table}'";

    public override void Configure(DbContextOptionsBuilder options) => options.UseSqlite(connectionString).AddInterceptors(busyTimeout);

    public override DbConnection Connect() => new SqliteConnection(connectionString);

    public override UpgradeEngineBuilder Upgrade() => DeployChanges.To.SqliteDatabase(connectionString);

    public override bool IsRace(DbException exception) =>
        exception is SqliteException { SqliteExtendedErrorCode: ConstraintPrimaryKey or ConstraintUnique };

    public override string CodeOf(DbException exception) => exception is SqliteException sqlite ? $"SQLite code {sqlite.SqliteExtendedErrorCode}" : "no code";

    /// <summary>SQLite itself waits for the other writer; without it the driver polls every 150 ms.</summary>
    private sealed class BusyTimeout(int seconds) : DbConnectionInterceptor
    {
        public string Pragma { get; } = $"PRAGMA busy_timeout = {seconds * 1000}";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragma;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragma;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
