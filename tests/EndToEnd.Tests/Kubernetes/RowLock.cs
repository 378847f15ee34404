using Npgsql;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Holds the rows of all sessions, so that a gateway's change of one waits until this is disposed.</summary>
internal sealed class RowLock : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;
    private readonly NpgsqlConnection look;

    private RowLock(NpgsqlConnection connection, NpgsqlTransaction transaction, NpgsqlConnection look) =>
        (this.connection, this.transaction, this.look) = (connection, transaction, look);

    public static async Task<RowLock> TakeAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("SELECT 1 FROM sessions FOR UPDATE", connection, transaction);
        await command.ExecuteNonQueryAsync();

        // Who waits for what stays as it was first read, as long as a transaction lasts.
        var look = new NpgsqlConnection(connectionString);
        await look.OpenAsync();
        return new RowLock(connection, transaction, look);
    }

    /// <summary>A change that sets that column has come, and waits.</summary>
    public Task WaitedForAsync(string column, TimeSpan limit) => Deadlines.UntilAsync($"a change of {column} that waits for the row", async () =>
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1", look);
        command.Parameters.Add(new NpgsqlParameter { Value = $"%{column} = %" });
        return await command.ExecuteScalarAsync() is > 0L;
    }, limit);

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
        await look.DisposeAsync();
    }
}
