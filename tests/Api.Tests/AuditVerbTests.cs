using Npgsql;
using SparkGateway.Testing;

namespace SparkGateway.Api.Tests;

public sealed class AuditVerbTests : IDisposable
{
    private const string OldDenial = "INSERT INTO audit_log (at, actor, action, replica) VALUES ('2020-01-01T00:00:00.000Z', 'mallory', 'deny', '00000000-0000-4000-8000-000000000001')";

    private readonly DirectoryInfo state = Directory.CreateTempSubdirectory("spark-gateway-audit-");

    public void Dispose() => state.Delete(recursive: true);

    [Theory]
    [InlineData("'400' is no age", "--older-than", "400")]
    [InlineData("'0d' is no age", "--older-than", "0d")]
    [InlineData("'-5d' is no age", "--older-than", "-5d")]
    [InlineData("30 days are fewer than the 90", "--older-than", "30d")]
    [InlineData("--batch-rows must be 100 to 100000", "--older-than", "400d", "--batch-rows", "1")]
    [InlineData("--as must have at most 64", "--older-than", "400d", "--as", "ä")]
    [InlineData("--older-than")]
    public async Task Prune_WrongArguments_AreRefusedBeforeTheStoreIsTouched(string text, params string[] arguments)
    {
        var run = await PruneAsync(arguments);

        VerbTests.AssertRefused(run, text);
        Assert.Empty(state.GetFileSystemInfos());
    }

    [Fact]
    public async Task Prune_Help_HasExamplesAndTheShortestAge()
    {
        var run = await Gateway.RunAsync("audit", "prune", "--help");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All((string[])["spark-gateway audit prune --older-than 400d --dry-run", "under 90d only with --yes", "--owner-connection-string-file"], word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Prune_StoreWithoutSchema_SaysWhatToDo()
    {
        var run = await PruneAsync("--older-than", "400d");

        VerbTests.AssertRefused(run, "run `spark-gateway migrate --config FILE`");
    }

    [Fact]
    public async Task Prune_Sqlite_DeletesWhatTheDryRunCounts()
    {
        Assert.Equal(0, (await Gateway.RunAsync("migrate", "--set", $"state_dir={state.FullName}")).ExitCode);
        await StoreFile.SqliteAsync(state.FullName, OldDenial);

        var dry = await PruneAsync("--older-than", "400d", "--dry-run");
        Assert.Equal((0, ""), (dry.ExitCode, dry.Error));
        Assert.Matches(@"gateway\.db: 1 rows of audit_log up to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ would be deleted\.\n$", dry.Out);
        Assert.Single(await StoreFile.SqliteAsync(state.FullName, "SELECT id FROM audit_log"));

        var run = await PruneAsync("--older-than", "30d", "--yes", "--as", "jane");
        Assert.Matches(@": 1 rows of audit_log up to \S+ deleted\.\n$", run.Out);
        Assert.Equal([$"prune|{Environment.UserName} as jane (unverified)|1"], await StoreFile.SqliteAsync(state.FullName, "SELECT action, actor, detail ->> 'rows' FROM audit_log"));
    }

    [Fact]
    public async Task Prune_Postgres_NeedsTheOwnersConnection()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        string Connection(string role)
        {
            var file = Path.Combine(state.FullName, role);
            File.WriteAllText(file, new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = role == "admin" ? null : $"-c role={role}" }.ConnectionString);
            return file;
        }

        string[] Store(string role) => ["--set", "store.kind=postgres", "--set", $"store.connection_string_file={Connection(role)}"];
        Assert.Equal(0, (await Gateway.RunAsync(["migrate", .. Store("admin")])).ExitCode);
        await StoreFile.PostgresAsync(database.ConnectionString, OldDenial);

        VerbTests.AssertRefused(await PruneAsync(["--older-than", "400d", .. Store("spark_gateway_app")]), "--owner-connection-string-file FILE");
        var run = await PruneAsync(["--older-than", "400d", "--owner-connection-string-file", Connection("spark_gateway_owner"), .. Store("spark_gateway_app")]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(": 1 rows of audit_log up to ", run.Out, StringComparison.Ordinal);
        Assert.Equal(["prune"], await StoreFile.PostgresAsync(database.ConnectionString, "SELECT action FROM audit_log"));
    }

    private Task<GatewayRun> PruneAsync(params string[] arguments) => Gateway.RunAsync(["audit", "prune", "--set", $"state_dir={state.FullName}", .. arguments]);
}
