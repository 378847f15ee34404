using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class MigrationTests
{
    /// <summary>The same names for both databases; their order is that of the numbers.</summary>
    private static readonly string[] All = [.. MigrationScripts.For(StoreKind.Postgres).Numbered.Select(script => script.Name)];

    [Fact]
    public void Migrations_OfBothDatabases_HaveTheSameNames()
    {
        Assert.Equal(All, MigrationScripts.For(StoreKind.Sqlite).Numbered.Select(script => script.Name));
        Assert.Distinct(All.Select(name => name[..4]));
    }

    [Theory, EachStore]
    public async Task Migrate_EmptyStore_BecomesCurrentOnce(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        Assert.Equal(SchemaState.Empty, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);

        Assert.Equal(All, (await store.Migrator.MigrateAsync(CancellationToken.None)).Value.Applied);
        Assert.Equal(SchemaState.Current, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        Assert.Empty((await store.Migrator.MigrateAsync(CancellationToken.None)).Value.Applied);
    }

    [Theory, EachStore]
    public async Task Migrate_FiveAtOnce_OneDoesTheWork(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        store.Options.Store.LockTimeoutSeconds = 30;
        var migrators = Enumerable.Range(0, 5).Select(_ => store.AddProcess().GetRequiredService<Migrator>()).ToList();

        var reports = await Task.WhenAll(migrators.Select(migrator => Task.Factory.StartNew(
            () => migrator.MigrateAsync(CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.All(reports, report => Assert.Null(report.Error));
        Assert.Equal(All, reports.SelectMany(report => report.Value.Applied));
    }

    [Theory, EachStore]
    public async Task Migrate_LockHeld_SaysByWhomUntilItExpires(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        store.Options.Store.LockTimeoutSeconds = 0;
        await store.ExecuteAsync($"UPDATE schema_lock SET owner = 'host-b process 12', expires_at = {store.Ago(-60)}");

        var refused = await store.Migrator.MigrateAsync(CancellationToken.None);
        Assert.StartsWith("Another migration of this store runs (host-b process 12);", refused.Error!.Text);

        await store.ExecuteAsync($"UPDATE schema_lock SET expires_at = {store.Ago(1)}");
        Assert.True((await store.Migrator.MigrateAsync(CancellationToken.None)).IsOk);
        Assert.Equal("", (await store.QueryAsync("SELECT owner FROM schema_lock")).Single()["owner"]);
    }

    [Theory, EachStore]
    public async Task Migrate_ScriptFails_RollsBackAndFreesTheLock(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        await store.ExecuteAsync("CREATE TABLE replicas (id INT)");

        var failed = await store.Migrator.MigrateAsync(CancellationToken.None);

        Assert.StartsWith("Migration 0001_sessions.sql failed", failed.Error!.Text);
        Assert.Contains("spark-gateway migrate --config FILE", failed.Error.Text);
        await store.ExecuteAsync("DROP TABLE replicas");
        Assert.Equal(All, (await store.Migrator.MigrateAsync(CancellationToken.None)).Value.Applied);
    }

    [Theory, EachStore]
    public async Task Script_RunByHand_MakesTheSchemaCurrent(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);
        var script = Migrator.Script(store.IsPostgres ? StoreKind.Postgres : StoreKind.Sqlite);
        var tables = script.Split("-- Spark Gateway: three roles")[0];

        await store.ExecuteAsync(tables);

        Assert.Equal(SchemaState.Current, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        await store.OpenReadyAsync();
    }

    [Fact]
    public async Task PrepareToServe_Sqlite_MigratesItself()
    {
        await using var store = await TestStore.CreateEmptyAsync("sqlite");

        Assert.True((await store.Migrator.PrepareToServeAsync(CancellationToken.None)).Value);

        await store.OpenAsync();
        Assert.Equal("wal", (await store.QueryAsync("PRAGMA journal_mode")).Single()["journal_mode"]);
    }

    [Fact]
    public async Task PrepareToServe_PostgresNotMigrated_NamesTheCommand()
    {
        await using var store = await TestStore.CreateEmptyAsync("postgres");

        Assert.Contains("has no schema yet; run `spark-gateway migrate --config FILE`", (await store.Migrator.PrepareToServeAsync(CancellationToken.None)).Error!.Text);
        Assert.Equal(SchemaState.Empty, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        await store.Migrator.MigrateAsync(CancellationToken.None);
        Assert.True((await store.Migrator.PrepareToServeAsync(CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task PrepareToServe_NewerSchema_IsRefused(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await store.ExecuteAsync("INSERT INTO schema_migrations (name) VALUES ('9999_future.sql')");

        Assert.Equal(SchemaState.Newer, (await store.Migrator.CheckAsync(CancellationToken.None)).Value);
        Assert.Contains("newer schema", (await store.Migrator.PrepareToServeAsync(CancellationToken.None)).Error!.Text);
        Assert.Contains("newer schema", (await store.Migrator.MigrateAsync(CancellationToken.None)).Error!.Text);
    }

    [Fact]
    public async Task Migrate_UserWithoutCreateRole_Succeeds()
    {
        await using var store = await TestStore.CreateEmptyAsync("postgres");
        await using var plain = await PlainUser.CreateAsync(store);

        var report = await store.AddProcess().GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);

        Assert.Equal(All, report.Value.Applied);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RoleSetup_UserWithoutCreateRole_NotesItUnlessTheRolesAreThere(bool madeByDba)
    {
        await using var store = await TestStore.CreateEmptyAsync("postgres");
        var prefix = $"r{Guid.NewGuid():N}_";
        var roles = MigrationScripts.For(StoreKind.Postgres).Roles!.Replace("spark_gateway_", prefix, StringComparison.Ordinal);
        string[] names = [$"{prefix}owner", $"{prefix}app", $"{prefix}reader"];
        if (madeByDba) await store.ExecuteAsync(string.Concat(names.Select(name => $"CREATE ROLE {name};")));
        await using var plain = await PlainUser.CreateAsync(store);
        await store.AddProcess().GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);

        await using (var connection = new NpgsqlConnection(store.ConnectionString))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            var notes = await RoleSetup.RunAsync(connection, roles, CancellationToken.None);

            Assert.Equal(madeByDba ? 0 : 1, notes.Count);
            Assert.All(notes, note => Assert.Contains("may not create roles", note));
        }

        if (madeByDba) await plain.AsAdminAsync(string.Concat(names.Select(name => $"DROP OWNED BY {name}; DROP ROLE {name};")));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("Host=db;Pass word=s3cret", "holds no PostgreSQL connection string")]
    [InlineData(null, "cannot be read")]
    public async Task PrepareToServe_BadConnectionStringFile_SaysSoWithoutItsContent(string? content, string expected)
    {
        await using var store = await TestStore.CreateEmptyAsync("sqlite");
        store.Options.Store.Kind = "postgres";
        store.Options.Store.ConnectionStringFile = Path.Combine(store.Options.StateDir, "connection");
        if (content is not null) await File.WriteAllTextAsync(store.Options.Store.ConnectionStringFile, content, TestContext.Current.CancellationToken);

        var error = (await store.Migrator.PrepareToServeAsync(CancellationToken.None)).Error!;

        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Contains(expected, error.Text);
        Assert.Contains("store.connection_string_file", error.Text);
        Assert.DoesNotContain("s3cret", error.Text);
    }

    [Fact]
    public void Migrations_ForPostgres_AreSpokenByCockroachDb()
    {
        var assembly = typeof(Migrator).Assembly;
        var files = assembly.GetManifestResourceNames().Where(name => name.StartsWith("migrations/postgres/", StringComparison.Ordinal)).ToList();

        Assert.Equal([.. All.Select(name => $"migrations/postgres/{name}"), "migrations/postgres/journal.sql", "migrations/postgres/roles.sql"], files.Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Null(StatementLint.Find(Read(assembly, file))));
    }

    [Fact]
    public async Task Schemas_OfBothDatabases_HaveTheSameColumns()
    {
        await using var sqlite = await TestStore.CreateAsync("sqlite");
        await using var postgres = await TestStore.CreateAsync("postgres");

        var there = await sqlite.QueryAsync("SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'");
        var here = await postgres.QueryAsync("SELECT table_name AS tab, column_name AS col FROM information_schema.columns WHERE table_schema = 'public'");

        Assert.Equal(Names(here), Names(there));
        static IEnumerable<string> Names(List<Dictionary<string, string>> rows) => rows.Select(row => $"{row["tab"]}.{row["col"]}").Order(StringComparer.Ordinal);
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    /// <summary>From now on the store's processes connect as a user who may create tables, but no roles.</summary>
    private sealed class PlainUser(TestStore store, string admin, string name) : IAsyncDisposable
    {
        public static async Task<PlainUser> CreateAsync(TestStore store)
        {
            var (admin, name) = (store.ConnectionString, $"plain_{Guid.NewGuid():N}");
            await store.ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD 'pw'; GRANT ALL ON SCHEMA public TO {name}");
            store.UseConnection(new NpgsqlConnectionStringBuilder(admin) { Username = name, Password = "pw" }.ConnectionString);
            return new PlainUser(store, admin, name);
        }

        public Task<int> AsAdminAsync(string sql)
        {
            store.UseConnection(admin);
            return store.ExecuteAsync(sql);
        }

        public async ValueTask DisposeAsync() => await AsAdminAsync($"DROP OWNED BY {name}; DROP ROLE {name}");
    }
}
