using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace SparkGateway.Api.Tests;

/// <summary>A look into a store behind the program's back.</summary>
internal static class StoreFile
{
    public static Task<List<string>> SqliteAsync(string stateDir, string sql) =>
        RunAsync(new SqliteConnection($"Data Source={Path.Combine(stateDir, "gateway.db")};Pooling=False"), sql);

    public static Task<List<string>> PostgresAsync(string connectionString, string sql) => RunAsync(new NpgsqlConnection(connectionString), sql);

    /// <summary>Rows, their columns joined by |.</summary>
    private static async Task<List<string>> RunAsync(DbConnection connection, string sql)
    {
        await using (connection)
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
                rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))));
            return rows;
        }
    }
}
