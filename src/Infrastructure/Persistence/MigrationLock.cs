using System.Data.Common;
using System.Globalization;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The row of `schema_lock`: one migration at a time. A holder that died loses it by its expiry; CockroachDB has no advisory locks.</summary>
internal sealed class MigrationLock : IAsyncDisposable
{
    public const int ExpirySeconds = 600;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly DbConnection connection;
    private readonly string owner;

    private MigrationLock(DbConnection connection, string owner)
    {
        this.connection = connection;
        this.owner = owner;
    }

    /// <summary>Waits for another holder for <paramref name="patience"/>.</summary>
    public static async Task<Result<MigrationLock>> AcquireAsync(DbConnection connection, StoreDialect dialect, string journalSql, TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        var owner = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName} process {Environment.ProcessId} {Guid.NewGuid().ToString("N")[..8]}");
        var started = clock.GetTimestamp();
        while (!await TryAsync(connection, dialect, journalSql, owner, cancellation))
        {
            if (clock.GetElapsedTime(started) > patience)
            {
                var holder = await Sql.ReadAsync(connection, "SELECT owner FROM schema_lock WHERE id = 1", row => row.IsDBNull(0) ? "somebody" : row.GetString(0), cancellation);
                return GatewayError.Invalid($"Another migration of this store runs ({string.Join("", holder)}); wait until it ends and try again. If that process is dead, its lock ends by itself within {ExpirySeconds / 60} minutes.");
            }

            await Task.Delay(Pause, clock, cancellation);
        }

        return new MigrationLock(connection, owner);
    }

    public async ValueTask DisposeAsync() =>
        await Sql.ExecuteAsync(connection, "UPDATE schema_lock SET owner = NULL, expires_at = NULL WHERE id = 1 AND owner = @owner", CancellationToken.None, ("owner", owner));

    private static async Task<bool> TryAsync(DbConnection connection, StoreDialect dialect, string journalSql, string owner, CancellationToken cancellation)
    {
        try
        {
            await Sql.ExecuteAsync(connection, journalSql, cancellation);
            var taken = await Sql.ExecuteAsync(connection,
                $"UPDATE schema_lock SET owner = @owner, expires_at = {dialect.SecondsFromNow(ExpirySeconds)} WHERE id = 1 AND (owner IS NULL OR expires_at < {dialect.SecondsFromNow(0)})",
                cancellation, ("owner", owner));
            return taken == 1;
        }
        catch (DbException e) when (dialect.IsRace(e))
        {
            // Two first migrations create the lock's table at once: one of them is told so.
            return false;
        }
    }
}
