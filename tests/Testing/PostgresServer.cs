using System.Net.Sockets;
using Npgsql;
using Testcontainers.PostgreSql;
using Xunit;

namespace SparkGateway.Testing;

/// <summary>
/// One PostgreSQL for a test run, one fresh database for each test. SPARK_GATEWAY_TEST_POSTGRES names one; else a Docker
/// engine runs one; else the machine's own binaries do. Without any of them the tests are skipped with the reason.
/// </summary>
public sealed class PostgresServer
{
    private const string ConnectionVariable = "SPARK_GATEWAY_TEST_POSTGRES";

    private static readonly Task<PostgresServer> Shared = StartAsync();

    /// <summary>Held so that it lives until the end of this process.</summary>
    private static PostgresProcess? running;

    private readonly string? connectionString;
    private readonly string reason;

    private PostgresServer(string? connectionString, string reason)
    {
        this.connectionString = connectionString;
        this.reason = reason;
    }

    public static async Task<PostgresDatabase> NewDatabaseAsync()
    {
        var server = await Shared;
        if (server.connectionString is null) Assert.Skip(server.reason);

        var name = $"t_{Guid.NewGuid():N}";
        await ExecuteAsync(server.connectionString, $"CREATE DATABASE {name}");
        var database = new NpgsqlConnectionStringBuilder(server.connectionString) { Database = name };
        return new PostgresDatabase(server.connectionString, database);
    }

    internal static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<PostgresServer> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } given) return new PostgresServer(given, "");
        if (await DockerAnswersAsync()) return new PostgresServer(await RunContainerAsync(), "");

        var (own, reason) = await PostgresProcess.StartAsync();
        running = own;
        return new PostgresServer(own?.ConnectionString, $"No PostgreSQL for this test: {ConnectionVariable} is not set, no Docker engine answers, and {reason}.");
    }

    private static async Task<string> RunContainerAsync()
    {
        // The engine removes the container when this process has gone (Testcontainers' reaper).
        var container = new PostgreSqlBuilder("postgres:16").Build();
        await container.StartAsync();
        return container.GetConnectionString();
    }

    private static async Task<bool> DockerAnswersAsync()
    {
        var host = Environment.GetEnvironmentVariable("DOCKER_HOST") ?? "unix:///var/run/docker.sock";
        if (!host.StartsWith("unix://", StringComparison.Ordinal)) return true;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(host["unix://".Length..]));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>A database that is dropped with this object.</summary>
public sealed class PostgresDatabase(string serverConnection, NpgsqlConnectionStringBuilder connection) : IAsyncDisposable
{
    public string ConnectionString => connection.ConnectionString;

    public async ValueTask DisposeAsync() => await PostgresServer.ExecuteAsync(serverConnection, $"DROP DATABASE {connection.Database} WITH (FORCE)");
}
