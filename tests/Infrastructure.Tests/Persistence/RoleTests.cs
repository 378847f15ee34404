using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>The three roles of PostgreSQL, and logins that have them.</summary>
public sealed class RoleTests
{
    private static readonly string[] Tables = ["sessions", "bindings", "replicas", "audit_log", "schema_migrations", "session_audit"];

    [Theory]
    [InlineData("UPDATE audit_log SET actor = 'nobody'")]
    [InlineData("DELETE FROM audit_log")]
    [InlineData("TRUNCATE audit_log")]
    [InlineData("DROP TABLE audit_log CASCADE")]
    [InlineData("DROP VIEW session_audit")]
    [InlineData("ALTER TABLE audit_log ADD COLUMN more TEXT")]
    [InlineData("ALTER TABLE audit_log DISABLE TRIGGER ALL")]
    [InlineData("ALTER TABLE audit_log OWNER TO spark_gateway_app")]
    [InlineData("CREATE RULE nothing AS ON INSERT TO audit_log DO INSTEAD NOTHING")]
    [InlineData("INSERT INTO audit_log (id, actor, action, replica) SELECT id, 'nobody', action, replica FROM audit_log ON CONFLICT (id) DO UPDATE SET actor = 'nobody'")]
    [InlineData("GRANT DELETE ON audit_log TO spark_gateway_app")]
    [InlineData("DELETE FROM schema_migrations")]
    [InlineData("SET ROLE spark_gateway_owner")]
    public async Task AppLogin_AnythingButInsertAndSelect_IsRefused(string statement)
    {
        await using var store = await TestStore.CreateAsync("postgres");
        await store.OpenAsync();
        await using var app = await Login.CreateAsync(store, TestStore.AppRole);

        await app.ExecuteAsync("SELECT * FROM audit_log");
        var refusal = await Record.ExceptionAsync(() => app.ExecuteAsync(statement));

        // A GRANT by somebody who may not is only a warning.
        if (statement.StartsWith("GRANT", StringComparison.Ordinal)) await Assert.ThrowsAsync<PostgresException>(() => app.ExecuteAsync("DELETE FROM audit_log"));
        else Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, Assert.IsType<PostgresException>(refusal).SqlState);
        Assert.All(await store.QueryAsync("SELECT actor FROM audit_log"), row => Assert.Equal("alice", row["actor"]));
    }

    [Fact]
    public async Task ReaderLogin_ReadsTheTablesAndWritesNothing()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        await store.OpenReadyAsync();
        await using var reader = await Login.CreateAsync(store, TestStore.ReaderRole);

        foreach (var table in Tables) await reader.ExecuteAsync($"SELECT * FROM {table}");
        foreach (var statement in Tables.Select(table => $"DELETE FROM {table}").Append("SELECT * FROM schema_lock").Append("INSERT INTO audit_log (actor, action, replica) SELECT 'me', 'open', id FROM replicas"))
        {
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => reader.ExecuteAsync(statement));
            Assert.True(refusal.SqlState == PostgresErrorCodes.InsufficientPrivilege || statement.Contains("session_audit", StringComparison.Ordinal), statement);
        }
    }

    [Fact]
    public async Task OwnerLogins_MigrateOneAfterTheOther_AndPrune()
    {
        // The first database makes the roles, which belong to the whole server.
        await using var other = await TestStore.CreateAsync("postgres");
        await using var store = await TestStore.CreateEmptyAsync("postgres");
        await store.ExecuteAsync("GRANT CREATE ON SCHEMA public TO spark_gateway_owner");
        await using var first = await Login.CreateAsync(store, TestStore.OwnerRole);
        await using var second = await Login.CreateAsync(store, TestStore.OwnerRole);
        await using var app = await Login.CreateAsync(store, TestStore.AppRole);
        var scripts = MigrationScripts.For(StoreKind.Postgres);
        await first.ExecuteAsync($"{scripts.Journal}; {scripts.Numbered[0].Contents}; INSERT INTO schema_migrations (name) VALUES ('{scripts.Numbered[0].Name}')");

        store.UseConnection(second.ConnectionString);
        var report = (await store.AddProcess().GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None)).Value;
        store.UseConnection(app.ConnectionString);
        var serving = store.AddProcess();
        var opened = await serving.GetRequiredService<Features.Ports.ISessionStore>().OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None);
        store.UseConnection(first.ConnectionString);
        var pruned = await store.AddProcess().GetRequiredService<AuditPruner>().PruneAsync(TimeSpan.FromDays(400), "root", 100, CancellationToken.None);

        Assert.Equal(scripts.Numbered.Skip(1).Select(script => script.Name), report.Applied);
        Assert.Empty(report.Notes);
        Assert.Null(opened.Error);
        Assert.Null(pruned.Error);
        Assert.All(await store.QueryAsync("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'"), row => Assert.Equal(TestStore.OwnerRole, row["tableowner"]));
    }

    /// <summary>A login that has one of the roles; the owner's tables belong to the role, so that another login can migrate next time.</summary>
    private sealed class Login(string admin, string name, string connectionString) : IAsyncDisposable
    {
        public string ConnectionString => connectionString;

        public static async Task<Login> CreateAsync(TestStore store, string role)
        {
            var (admin, name) = (store.ConnectionString, $"login_{Guid.NewGuid():N}");
            await store.ExecuteAsync($"CREATE ROLE {name} LOGIN PASSWORD 'pw' IN ROLE {role}");
            var connection = new NpgsqlConnectionStringBuilder(admin) { Username = name, Password = "pw", Pooling = false };
            if (role == TestStore.OwnerRole) connection.Options = $"-c role={role}";
            return new Login(admin, name, connection.ConnectionString);
        }

        public Task ExecuteAsync(string sql) => ExecuteAsync(connectionString, sql);

        public async ValueTask DisposeAsync()
        {
            // Pools of the store's processes may hold a connection of it still.
            NpgsqlConnection.ClearAllPools();
            await ExecuteAsync(admin, $"DROP OWNED BY {name}; DROP ROLE {name}");
        }

        private static async Task ExecuteAsync(string connectionString, string sql)
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
    }
}
