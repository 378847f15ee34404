using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Persistence;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>One database for many schedules, emptied before each, with a clock that the schedule sets.</summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "All texts are constants of this folder.")]
internal abstract class ScheduleDatabase : IAsyncDisposable
{
    /// <summary>Memory where there is such a folder: no schedule outlives its test.</summary>
    private const string Memory = "/dev/shm";

    private readonly DirectoryInfo folder = Directory.Exists(Memory)
        ? Directory.CreateDirectory(Path.Combine(Memory, $"spark-gateway-schedules-{Guid.NewGuid():N}"))
        : Directory.CreateTempSubdirectory("spark-gateway-schedules-");

    private DbConnection? behind;
    private ServiceProvider? services;

    /// <summary>The store's clock.</summary>
    public DateTimeOffset Now { get; private set; }

    /// <summary>How many calls may be under way at once.</summary>
    public abstract int MostOutside { get; }

    protected GatewayOptions Options { get; } = new();

    protected abstract string TimeText(string column);

    public static async Task<ScheduleDatabase> CreateAsync(string kind)
    {
        ScheduleDatabase database = kind == "postgres" ? new Postgres(await PostgresServer.NewDatabaseAsync()) : new Sqlite();
        await database.PrepareAsync();
        return database;
    }

    /// <summary>The stores of one more process.</summary>
    public Replicated Join(Replica self)
    {
        var contexts = services!.GetRequiredService<IDbContextFactory<GatewayDbContext>>();

        // A lost race is run again within the call, while virtual time stands still.
        var runner = new StoreRunner(contexts, services!.GetRequiredService<StoreDialect>(), Options.Store, TimeProvider.System, NullLogger<StoreRunner>.Instance);
        var audit = new AuditTrail(self);
        return new Replicated(new SessionStore(runner, audit, Options.Store), new OperatorStore(runner, audit, Options.Store),
            new SessionCatalog(runner), new ReplicaBoard(runner, Options.Store));
    }

    public virtual void SetClock(DateTimeOffset now) => Now = now;

    public void Clear()
    {
        foreach (var table in new[] { "audit_log", "bindings", "sessions", "replicas" }) Execute($"DELETE FROM {table}");
    }

    public int Execute(string sql)
    {
        using var command = behind!.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    /// <summary>All rows as they are now.</summary>
    public Rows Read() => new(
        Read($"SELECT CAST(id AS TEXT), kind, state, opened_by, CAST(owner_replica AS TEXT), address, end_reason, {TimeText("launch_lease_until")}, {TimeText("last_activity_at")}, {TimeText("busy_until")}, {TimeText("max_ttl_at")}, {TimeText("ended_at")} FROM sessions", row => new SessionSeen(
            Guid.Parse(row[0]!), row[1]!, row[2]!, row[3], row[4] is { } owner ? Guid.Parse(owner) : null, row[5], row[6], row[7], row[8], row[9], row[10], row[11])),
        Read($"SELECT {Hex("key")}, CAST(session_row_id AS TEXT), state, via, claimed_user, {TimeText("released_at")} FROM bindings", row => new BindingSeen(row[0]!, Guid.Parse(row[1]!), row[2]!, row[3]!, row[4], row[5])),
        Read("SELECT CAST(id AS TEXT), action, CAST(session_row_id AS TEXT), reason, CAST(replica AS TEXT) FROM audit_log ORDER BY id", row => new AuditSeen(
            long.Parse(row[0]!, CultureInfo.InvariantCulture), row[1]!, row[2] is { } session ? Guid.Parse(session) : null, row[3], Guid.Parse(row[4]!))),
        Read($"SELECT CAST(id AS TEXT), {TimeText("heartbeat_at")} FROM replicas", row => (Guid.Parse(row[0]!), row[1]!)).ToDictionary());

    /// <summary>As the columns are read: such texts sort as times.</summary>
    public abstract string Text(DateTimeOffset time);

    public virtual async ValueTask DisposeAsync()
    {
        if (behind is not null) await behind.DisposeAsync();
        if (services is not null) await services.DisposeAsync();
        folder.Delete(recursive: true);
    }

    protected abstract string Hex(string column);

    protected abstract void Configure(GatewayOptions options, DirectoryInfo folder);

    protected abstract IInterceptor[] Interceptors { get; }

    protected abstract DbConnection Behind();

    protected abstract Task PrepareAsync(DbConnection connection);

    protected abstract void Prepared();

    private async Task PrepareAsync()
    {
        Options.StateDir = folder.FullName;
        Options.Store.LaunchLeaseSeconds = Simulation.LeaseSeconds;
        Options.Store.DeadAfterSeconds = Simulation.DeadAfterSeconds;
        Configure(Options, folder);
        behind = Behind();
        await behind.OpenAsync();
        await PrepareAsync(behind);
        var collection = new ServiceCollection();
        collection.AddSessionStore(Options);
        collection.ConfigureDbContext<GatewayDbContext>(builder => builder.AddInterceptors(Interceptors));
        services = collection.BuildServiceProvider();
        Assert.Null((await services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None)).Error);
        Prepared();
    }

    private List<T> Read<T>(string sql, Func<string?[], T> read)
    {
        using var command = behind!.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read([.. Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? null : reader.GetString(column))]));
        return rows;
    }

    /// <summary>One process uses it in production; here the calls of several come one after the other, as its transactions do.</summary>
    private sealed class Sqlite : ScheduleDatabase
    {
        public override int MostOutside => 1;

        protected override IInterceptor[] Interceptors => [new Clock(this)];

        public override string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

        public override async ValueTask DisposeAsync()
        {
            SqliteConnection.ClearAllPools();
            await base.DisposeAsync();
        }

        protected override string TimeText(string column) => column;

        protected override string Hex(string column) => $"hex({column})";

        protected override void Configure(GatewayOptions options, DirectoryInfo folder) => options.Store.Kind = "sqlite";

        protected override DbConnection Behind() => new SqliteConnection($"Data Source={Path.Combine(Options.StateDir, "gateway.db")};Pooling=False");

        protected override Task PrepareAsync(DbConnection connection) => Task.CompletedTask;

        /// <summary>The tables are emptied between schedules.</summary>
        protected override void Prepared() => Execute("DROP TRIGGER audit_log_no_delete; PRAGMA synchronous = OFF");

        /// <summary>strftime is the only clock that the store asks, so it is the one that is replaced.</summary>
        private sealed class Clock(Sqlite database) : DbConnectionInterceptor
        {
            public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Replace((SqliteConnection)connection);

            public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
            {
                Replace((SqliteConnection)connection);
                return Task.CompletedTask;
            }

            private void Replace(SqliteConnection connection)
            {
                connection.CreateFunction<string, string, string>("strftime", (_, time) => database.Text(At(time)));
                connection.CreateFunction<string, string, string, string>("strftime", (_, time, shift) =>
                    database.Text(At(time).AddSeconds(int.Parse(shift.AsSpan(0, shift.IndexOf(' ')), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))));
            }

            private DateTimeOffset At(string time) => time == "now" ? database.Now : DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Two transactions may overlap. now() is a function of the schema that comes before the one of the system.</summary>
    private sealed class Postgres(PostgresDatabase server) : ScheduleDatabase
    {
        public override int MostOutside => 2;

        protected override IInterceptor[] Interceptors => [];

        public override void SetClock(DateTimeOffset now)
        {
            if (now == Now) return;
            base.SetClock(now);
            Execute($"UPDATE virtual_clock SET at = '{Text(now)}'");
        }

        public override string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await server.DisposeAsync();
        }

        protected override string TimeText(string column) => $"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

        protected override string Hex(string column) => $"encode({column}, 'hex')";

        protected override void Configure(GatewayOptions options, DirectoryInfo folder)
        {
            options.Store.Kind = "postgres";
            options.Store.ConnectionStringFile = Path.Combine(folder.FullName, "connection");
            File.WriteAllText(options.Store.ConnectionStringFile, ConnectionString);
        }

        protected override DbConnection Behind() => new NpgsqlConnection($"{ConnectionString};Pooling=False");

        protected override async Task PrepareAsync(DbConnection connection)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"CREATE TABLE virtual_clock (at TIMESTAMPTZ NOT NULL); INSERT INTO virtual_clock VALUES ('{Text(VirtualTime.Epoch)}');"
                + " CREATE FUNCTION now() RETURNS TIMESTAMPTZ LANGUAGE sql STABLE AS 'SELECT at FROM virtual_clock'";
            await command.ExecuteNonQueryAsync();
        }

        protected override void Prepared()
        {
        }

        private string ConnectionString => new NpgsqlConnectionStringBuilder(server.ConnectionString) { Options = "-c search_path=public,pg_catalog" }.ConnectionString;
    }
}

internal sealed record SessionSeen(
    Guid Id, string Kind, string State, string? OpenedBy, Guid? Owner, string? Address, string? EndReason, string? Lease, string? LastActivityAt, string? BusyUntil, string? MaxTtlAt, string? EndedAt);

internal sealed record BindingSeen(string Key, Guid Session, string State, string Via, string? User, string? ReleasedAt);

internal sealed record AuditSeen(long Id, string Action, Guid? Session, string? Reason, Guid Replica);

internal sealed record Rows(List<SessionSeen> Sessions, List<BindingSeen> Bindings, List<AuditSeen> Audit, Dictionary<Guid, string> Heartbeats);
