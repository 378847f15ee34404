using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>What a change found out, and whether it is to last.</summary>
internal readonly record struct Change<T>(Result<T> Result, bool IsKept)
{
    public static implicit operator Change<T>(GatewayError refusal) => new(refusal, false);
}

internal static class Change
{
    public static Change<T> Keep<T>(T value) => new(Result<T>.Ok(value), true);

    public static Change<T> Drop<T>(T value) => new(Result<T>.Ok(value), false);
}

/// <summary>Runs reads and changes against the store; every way in which a store can fail comes out as UNAVAILABLE.</summary>
internal sealed class StoreRunner(IDbContextFactory<GatewayDbContext> contexts, StoreDialect dialect, StoreOptions options, TimeProvider clock, ILogger<StoreRunner> logger) : IDisposable
{
    private const int BackOffMilliseconds = 10;

    private static readonly ConcurrentDictionary<string, string> Operations = new();

    private readonly SemaphoreSlim turn = new(1, 1);
    private long steadySince = clock.GetTimestamp();

    /// <summary>Since the last call that failed, or the start.</summary>
    public TimeSpan SteadyFor => clock.GetElapsedTime(Volatile.Read(ref steadySince));

    public Task<Result<T>> ReadAsync<T>(Func<GatewayDbContext, Task<T>> read, CancellationToken cancellation, [CallerMemberName] string caller = "") =>
        MeasureAsync(caller, async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(cancellation);
            return Result<T>.Ok(await read(db));
        }, cancellation);

    /// <summary>One transaction; a lost race runs it again from the start.</summary>
    public Task<Result<T>> ChangeAsync<T>(Func<GatewayDbContext, Task<Change<T>>> change, CancellationToken cancellation, [CallerMemberName] string caller = "") =>
        MeasureAsync(caller, async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(cancellation);
            db.Database.AutoSavepointsEnabled = false;
            await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
            var (result, isKept) = await change(db);
            if (isKept) await transaction.CommitAsync(cancellation);
            return result;
        }, cancellation);

    /// <summary>
    /// A change that takes the store's turn. The store lets one after the other in, of all replicas; those of this one wait here,
    /// where they hold no connection that other work needs.
    /// </summary>
    public async Task<Result<T>> ChangeInTurnAsync<T>(Func<GatewayDbContext, Task<Change<T>>> change, CancellationToken cancellation, [CallerMemberName] string caller = "")
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.TurnTimeoutSeconds), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await turn.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return GatewayError.Unavailable(Blame.Gateway,
                $"So many sessions are being opened in this moment that the turn of this one did not come within {options.TurnTimeoutSeconds} seconds (store.turn_timeout_seconds). Try again.");
        }

        try
        {
            return await ChangeAsync(change, cancellation, caller);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    /// <param name="caller">The method of the store, which is the operation's name.</param>
    private async Task<Result<T>> MeasureAsync<T>(string caller, Func<Task<Result<T>>> work, CancellationToken cancellation)
    {
        var operation = Operations.GetOrAdd(caller, static name => ColumnWord.Of(name.EndsWith("Async", StringComparison.Ordinal) ? name[..^"Async".Length] : name));
        using var span = GatewaySpans.StartInside($"store {operation}");
        var began = clock.GetTimestamp();
        var result = await GuardAsync(work, cancellation);
        var isDown = result.Error is { Code: ErrorCode.Unavailable };
        GatewayMetrics.StoreUsed(operation, clock.GetElapsedTime(began), isDown);
        if (isDown) span?.SetStatus(ActivityStatusCode.Error, "unavailable");
        return result;
    }

    private async Task<Result<T>> GuardAsync<T>(Func<Task<Result<T>>> work, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && IsFault(e))
            {
                if (FindDbException(e) is not { } fault || !dialect.IsRace(fault) || attempt >= options.RaceAttempts) return Unavailable(e);
            }

            await Task.Delay(BackOff(attempt), clock, cancellation);
        }
    }

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "Spreads retries, guards nothing.")]
    private static TimeSpan BackOff(int attempt) => TimeSpan.FromMilliseconds(Random.Shared.Next(1, BackOffMilliseconds * attempt));

    private GatewayError Unavailable(Exception e)
    {
        Volatile.Write(ref steadySince, clock.GetTimestamp());
        var fault = FindDbException(e);
        var code = fault is null ? e.GetBaseException().GetType().Name : dialect.CodeOf(fault);
        logger.StoreFailed(dialect.Title, dialect.Place, code, fault?.Message ?? e.Message);
        return GatewayError.Unavailable(Blame.Gateway,
            $"The gateway's session store ({dialect.Title}) cannot be used now ({code}). Sessions that run go on; try again in a minute, and if it lasts, tell the operator of the gateway.");
    }

    /// <summary>EF wraps what looks passing in an InvalidOperationException, so the whole chain counts.</summary>
    private static bool IsFault(Exception e) =>
        Chain(e).Any(link => link is DbException or TimeoutException or SocketException or IOException);

    private static DbException? FindDbException(Exception e) => Chain(e).OfType<DbException>().FirstOrDefault();

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (Exception? link = e; link is not null; link = link.InnerException) yield return link;
    }
}
