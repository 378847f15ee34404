using SparkGateway.Testing;

namespace SparkGateway.Api.Tests;

/// <summary>`serve` beside a store whose schema is not its own.</summary>
public sealed class StoreSchemaTests : IDisposable
{
    private readonly DirectoryInfo state = Directory.CreateTempSubdirectory("spark-gateway-schema-");

    public void Dispose() => state.Delete(recursive: true);

    [Fact]
    public async Task Serve_Sqlite_NewerSchemaIsRefused()
    {
        Assert.Equal(0, (await Gateway.RunAsync("migrate", "--set", $"state_dir={state.FullName}")).ExitCode);
        await StoreFile.SqliteAsync(state.FullName, "INSERT INTO schema_migrations (name) VALUES ('9999_future.sql')");

        AssertRefused(await ServeAsync(), "has a newer schema than this spark-gateway knows; start the version whose `spark-gateway migrate --config FILE` ran last.");
    }

    [Fact]
    public async Task Serve_Postgres_OlderAndNewerSchemasAreRefused()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        var file = Path.Combine(state.FullName, "connection");
        await File.WriteAllTextAsync(file, database.ConnectionString, TestContext.Current.CancellationToken);
        string[] store = ["--set", "store.kind=postgres", "--set", $"store.connection_string_file={file}"];

        AssertRefused(await ServeAsync(store), "has no schema yet; run `spark-gateway migrate --config FILE` and start again.");
        Assert.Equal(0, (await Gateway.RunAsync(["migrate", .. store])).ExitCode);
        await StoreFile.PostgresAsync(database.ConnectionString, "DELETE FROM schema_migrations WHERE name = '0003_audit.sql'");
        AssertRefused(await ServeAsync(store), "has an older schema than this spark-gateway needs; run `spark-gateway migrate --config FILE` and start again.");
        await StoreFile.PostgresAsync(database.ConnectionString, "INSERT INTO schema_migrations (name) VALUES ('0003_audit.sql'), ('9999_future.sql')");
        AssertRefused(await ServeAsync(store), "has a newer schema than this spark-gateway knows; start the version whose `spark-gateway migrate --config FILE` ran last.");
    }

    private static void AssertRefused(GatewayRun run, string text)
    {
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Contains(text, Assert.Single(run.ErrorLines, line => line.StartsWith("spark-gateway: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private Task<GatewayRun> ServeAsync(params string[] store) =>
        Gateway.RunAsync(["serve", .. Gateway.ServeArguments(Ports.Free(), Ports.Free()), "--set", $"state_dir={state.FullName}", .. store]);
}
