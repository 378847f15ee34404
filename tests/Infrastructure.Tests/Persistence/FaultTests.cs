using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class FaultTests
{
    private const string Unreachable = "Host=127.0.0.1;Port=1;Database=gateway;Username=app;Password=s3cret-word";

    [Fact]
    public async Task AnyMethod_StoreUnreachable_IsUnavailableAndNamesTheStoreOnly()
    {
        await using var store = await TestStore.CreateEmptyAsync("sqlite");
        store.Options.Store.Kind = "postgres";
        store.UseConnection(Unreachable);
        var process = store.AddProcess();
        var sessions = process.GetRequiredService<Features.Ports.ISessionStore>();

        GatewayError?[] errors =
        [
            (await sessions.FindBindingAsync(TestStore.Key(), CancellationToken.None)).Error,
            (await sessions.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None)).Error,
            (await sessions.HeartbeatAsync(store.Self, CancellationToken.None)).Error,
            (await process.GetRequiredService<StoreHealth>().PingAsync(CancellationToken.None)).Error,
            (await process.GetRequiredService<Migrator>().CheckAsync(CancellationToken.None)).Error,
            (await process.GetRequiredService<Migrator>().PrepareToServeAsync(CancellationToken.None)).Error,
        ];

        Assert.All(errors, error =>
        {
            Assert.Equal((ErrorCode.Unavailable, Blame.Gateway), (error!.Code, error.Blame));
            Assert.Contains("PostgreSQL", error.Text);
            Assert.DoesNotContain("s3cret", error.Text);
            Assert.DoesNotContain("Username", error.Text);
        });
    }

    [Theory, EachStore]
    public async Task Ping_MigratedStore_Answers(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        Assert.True((await store.First.GetRequiredService<StoreHealth>().PingAsync(CancellationToken.None)).Value);
    }

    [Theory, EachStore]
    public async Task Ping_StoreWithoutSchema_IsUnavailable(string kind)
    {
        await using var store = await TestStore.CreateEmptyAsync(kind);

        Assert.Equal(ErrorCode.Unavailable, (await store.First.GetRequiredService<StoreHealth>().PingAsync(CancellationToken.None)).Error?.Code);
    }

    [Theory, EachStore]
    public async Task Change_RowHeldBySomebodyElse_IsUnavailableAfterTheLockTimeout(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var bound = await store.OpenAsync();
        store.Options.Store.LockTimeoutSeconds = 1;
        var impatient = store.AddReplica();
        await using DbConnection holder = store.IsPostgres ? new NpgsqlConnection(store.ConnectionString) : new SqliteConnection(store.ConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using (var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var command = holder.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "UPDATE sessions SET team = 'held'";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            var refused = await impatient.MarkReadyAsync(bound.Session.Id, store.Self.Id, "127.0.0.1:20001", "1/1", TimeSpan.FromHours(4), CancellationToken.None);
            Assert.Equal(ErrorCode.Unavailable, refused.Error!.Code);
            Assert.Contains(store.IsPostgres ? "SQLSTATE 55P03" : "SQLite code 5", refused.Error.Text);
            Assert.NotNull((await impatient.FindSessionAsync(bound.Session.Id, CancellationToken.None)).Value);
        }

        Assert.True((await impatient.MarkReadyAsync(bound.Session.Id, store.Self.Id, "127.0.0.1:20001", "1/1", TimeSpan.FromHours(4), CancellationToken.None)).IsOk);
    }

    [Fact]
    public async Task Open_ManyWaitForTheTurn_LeaveConnectionsToOthers()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        var bound = await store.OpenAsync();
        store.Options.Store.PoolSize = 2;
        var crowded = store.AddReplica();
        await using var holder = new NpgsqlConnection(store.ConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("UPDATE session_turn SET taken_at = now()", holder, transaction);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var opens = Enumerable.Range(0, 10).Select(_ => crowded.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None)).ToList();

        Assert.NotNull((await crowded.FindBindingAsync(bound.Binding.Key, CancellationToken.None)).Value);
        Assert.DoesNotContain(opens, open => open.IsCompleted);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.All(await Task.WhenAll(opens), open => Assert.True(open.Value.Won));
    }

    [Fact]
    public async Task Open_TurnNeverComes_IsUnavailableAndSaysSo()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        (store.Options.Store.TurnTimeoutSeconds, store.Options.Store.LockTimeoutSeconds) = (1, 2);
        var crowded = store.AddReplica();
        await using var holder = new NpgsqlConnection(store.ConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("UPDATE session_turn SET taken_at = now()", holder, transaction);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var opens = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => crowded.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None)));

        Assert.All(opens, open => Assert.Equal(ErrorCode.Unavailable, open.Error!.Code));
        Assert.Contains(opens, open => open.Error!.Text.Contains("did not come within 1 seconds", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("40001", 7, true)]
    [InlineData("40001", 8, false)]
    [InlineData("40P01", 1, true)]
    [InlineData("57014", 1, false)]
    public async Task Change_LostRaces_RunsAgainABoundedNumberOfTimes(string sqlState, int failures, bool succeeds)
    {
        await using var store = await TestStore.CreateAsync("postgres");
        var failing = new Failing(sqlState, failures);
        var sessions = store.AddReplica(failing);

        var opened = await sessions.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None);

        Assert.Equal(succeeds, opened.IsOk);
        Assert.Equal(succeeds ? ["open", "bind"] : [], await store.ActionsAsync());
    }

    [Fact]
    public async Task Change_SerializationFailureOfTheDatabase_RunsAgain()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        var bound = await store.OpenReadyAsync();
        var overtaken = new Overtaken(() => store.ExecuteAsync("UPDATE sessions SET team = team"));
        var sessions = store.AddReplica(new Serializable(), overtaken);

        var left = await sessions.ReleaseAsync(bound.Binding.Key, TestStore.Alice, CancellationToken.None);

        Assert.Null(left.Error);
        Assert.Equal(0, left.Value);
        Assert.Equal([PostgresErrorCodes.SerializationFailure], overtaken.Failures);
        Assert.Single(await store.ActionsAsync(), "release");
    }

    [Theory, EachStore]
    public async Task Change_CallerGivesUp_IsCancelledAndLeavesNothing(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            store.Sessions.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, cancelled.Token));

        Assert.Empty(await store.ActionsAsync());
    }

    [Fact]
    public async Task Open_ConnectionKilledMidway_LeavesNothingAndTheNextSucceeds()
    {
        await using var store = await TestStore.CreateAsync("postgres");
        var killed = store.AddReplica(new KilledBeforeCommit(store));

        var refused = await killed.OpenAsync(store.NewSession(), TestStore.Key(), TestStore.NoLimits, TestStore.Alice, CancellationToken.None);

        Assert.Equal(ErrorCode.Unavailable, refused.Error?.Code);
        Assert.Empty((await killed.ListLiveAsync(CancellationToken.None)).Value);
        Assert.Empty(await store.ActionsAsync());
        await store.OpenAsync();
    }

    private sealed class Failing(string sqlState, int failures) : DbCommandInterceptor
    {
        private int left = failures;

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
            left-- > 0 ? throw new PostgresException("as told", "ERROR", "ERROR", sqlState) : ValueTask.FromResult(result);
    }

    /// <summary>As CockroachDB does; Npgsql asks for READ COMMITTED.</summary>
    private sealed class Serializable : DbTransactionInterceptor
    {
        public override async ValueTask<DbTransaction> TransactionStartedAsync(DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.Transaction = result;
            command.CommandText = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
            await command.ExecuteNonQueryAsync(cancellationToken);
            return result;
        }
    }

    /// <summary>Between the first read of a transaction and its first change, somebody else changes the same row and commits.</summary>
    private sealed class Overtaken(Func<Task> other) : DbCommandInterceptor
    {
        private bool isDone;

        public List<string?> Failures { get; } = [];

        public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (isDone) return result;
            isDone = true;
            await other();
            return result;
        }

        public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
        {
            Failures.Add((eventData.Exception as DbException)?.SqlState);
            return Task.CompletedTask;
        }
    }

    private sealed class KilledBeforeCommit(TestStore store) : DbTransactionInterceptor
    {
        public override async ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            await store.QueryAsync($"SELECT pg_terminate_backend({((NpgsqlConnection)transaction.Connection!).ProcessID}, 5000)");
            return result;
        }
    }
}
