using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Persistence;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>A real, fresh store of either kind; <see cref="AddProcess"/> gives one more gateway process on it.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    public static readonly SessionLimits NoLimits = new(1_000, 1_000);
    public const string AppRole = "spark_gateway_app";
    public const string OwnerRole = "spark_gateway_owner";
    public const string ReaderRole = "spark_gateway_reader";
    public static readonly Caller Alice = new("alice", "10.0.0.7:4711", "grpc-python/1.76");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("spark-gateway-store-");
    private readonly List<ServiceProvider> processes = [];
    private readonly PostgresDatabase? database;

    private string? role;

    private TestStore(PostgresDatabase? database) => this.database = database;

    public GatewayOptions Options { get; } = new();

    public StatementLint Lint { get; } = new();

    public bool IsPostgres => database is not null;

    public IServiceProvider First => processes[0];

    public ISessionStore Sessions => First.GetRequiredService<ISessionStore>();

    public Replica Self => First.GetRequiredService<Replica>();

    public Migrator Migrator => First.GetRequiredService<Migrator>();

    public string ConnectionString { get; private set; } = "";

    /// <summary>The store's processes have the rights of `serve` only, as in production; what looks behind its back may do all.</summary>
    public static async Task<TestStore> CreateAsync(string kind)
    {
        var store = await CreateEmptyAsync(kind);
        var report = await store.Migrator.MigrateAsync(CancellationToken.None);
        Assert.Null(report.Error);
        if (store.IsPostgres) store.role = AppRole;
        return store;
    }

    public static async Task<TestStore> CreateEmptyAsync(string kind)
    {
        // First, since it may skip the test: then there is nothing yet to clean up.
        var database = kind == "postgres" ? await PostgresServer.NewDatabaseAsync() : null;
        var store = new TestStore(database);
        store.Options.StateDir = store.folder.FullName;
        store.Options.Store.Kind = kind;
        store.ConnectionString = $"Data Source={Path.Combine(store.folder.FullName, "gateway.db")};Pooling=False";
        if (database is not null) store.UseConnection(database.ConnectionString);
        store.AddProcess();
        return store;
    }

    /// <summary>For processes that are added from now on.</summary>
    public void UseConnection(string connectionString)
    {
        ConnectionString = connectionString;
        Options.Store.ConnectionStringFile = Path.Combine(folder.FullName, $"connection-{processes.Count}");
        File.WriteAllText(Options.Store.ConnectionStringFile, $"{connectionString};Include Error Detail=true\n");
    }

    /// <summary>One more gateway process on this store.</summary>
    public IServiceProvider AddProcess(params IInterceptor[] interceptors) => AddProcess(null, interceptors);

    /// <summary>The same as a replica that the test names.</summary>
    public IServiceProvider AddProcess(Replica? self, params IInterceptor[] interceptors)
    {
        var services = new ServiceCollection();
        if (self is not null) services.AddSingleton(self);
        services.AddSessionStore(Options);
        services.ConfigureDbContext<GatewayDbContext>(builder => builder.AddInterceptors([Lint, new InRole(() => role), .. interceptors]));
        var provider = services.BuildServiceProvider(validateScopes: true);
        processes.Add(provider);
        return provider;
    }

    public ISessionStore AddReplica(params IInterceptor[] interceptors) => AddProcess(interceptors).GetRequiredService<ISessionStore>();

    public static ClientSessionKey Key(string user = "alice") => new(user, Guid.NewGuid().ToString());

    public static Denial Denial(ClientSessionKey key, string reason = "no", int calls = 1) => new(key, ErrorCode.PermissionDenied, reason, calls, Alice);

    public NewSession NewSession(string user = "alice", Guid? owner = null) =>
        new(Guid.NewGuid(), new SessionName("sjns-ml-dev", $"spark-connect-ml-{Guid.NewGuid():N}"), "local", "ml", "dev", user, owner ?? Self.Id);

    public async Task<BoundSession> OpenAsync(string user = "alice", ClientSessionKey? key = null, Guid? owner = null)
    {
        var claimed = await Sessions.OpenAsync(NewSession(user, owner), key ?? Key(user), NoLimits, Alice with { User = user }, CancellationToken.None);
        Assert.True(claimed.Value.Won);
        return claimed.Value.Bound;
    }

    public async Task<BoundSession> OpenReadyAsync(string user = "alice")
    {
        var bound = await OpenAsync(user);
        var ready = await Sessions.MarkReadyAsync(bound.Session.Id, Self.Id, "127.0.0.1:20001", "4711/99", TimeSpan.FromHours(4), CancellationToken.None);
        return bound with { Session = ready.Value };
    }

    /// <summary>For looking behind the store's back.</summary>
    public async Task<int> ExecuteAsync(string sql, int commandTimeout = 30)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandTimeout = commandTimeout;
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>Rows with all columns as text; null as "".</summary>
    public async Task<List<Dictionary<string, string>>> QueryAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, string>>();
        while (await reader.ReadAsync())
            rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, column => Convert.ToString(reader.GetValue(column), System.Globalization.CultureInfo.InvariantCulture) ?? ""));
        return rows;
    }

    /// <summary>The names of the columns, then the rows, as somebody reads them who may only read.</summary>
    public async Task<List<object?[]>> ReadAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = IsPostgres ? $"SET ROLE {ReaderRole}; SET TIME ZONE 'UTC'" : "PRAGMA query_only = 1";
        await command.ExecuteNonQueryAsync();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]> { Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray<object?>() };
        while (await reader.ReadAsync())
        {
            var row = new object?[reader.FieldCount];
            reader.GetValues(row!);
            rows.Add(row);
        }

        return rows;
    }

    public async Task<List<string>> ActionsAsync() => [.. (await QueryAsync("SELECT action FROM audit_log ORDER BY id")).Select(row => row["action"])];

    /// <summary>SQL of a time that many seconds ago, on the store's clock.</summary>
    public string Ago(int seconds) => IsPostgres ? $"now() - INTERVAL '{seconds} seconds'" : $"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '{-seconds} seconds')";

    /// <summary>One more process with the rights of another role.</summary>
    public IServiceProvider AddProcessAs(string other) => AddProcess(IsPostgres ? [new InRole(() => other)] : []);

    /// <summary>Makes the audit say something else, which only its owner can.</summary>
    public async Task RewriteAuditAsync(string set, string where)
    {
        if (IsPostgres)
        {
            await ExecuteAsync($"UPDATE audit_log SET {set} WHERE {where}");
            return;
        }

        var trigger = (await QueryAsync("SELECT sql FROM sqlite_master WHERE name = 'audit_log_no_update'")).Single()["sql"];
        await ExecuteAsync($"DROP TRIGGER audit_log_no_update; UPDATE audit_log SET {set} WHERE {where}; {trigger}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes) await process.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
        SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    /// <summary>Statements run with the rights of that role; null: of the user that is connected.</summary>
    private sealed class InRole(Func<string?> role) : DbConnectionInterceptor
    {
        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            if (role() is not { } name) return;
            await using var command = connection.CreateCommand();
            command.CommandText = $"SET ROLE {name}";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = IsPostgres ? new NpgsqlConnection(ConnectionString) : new SqliteConnection(ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
