using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>In the replica's own row: nobody else writes it, and it goes when the replica goes.</summary>
internal sealed class ReplicaBoard(StoreRunner store, StoreOptions options) : IReplicaBoard
{
    private readonly int deadAfter = options.DeadAfterSeconds;

    public Task<Result<bool>> TellCallsAsync(Replica self, IReadOnlyDictionary<Guid, int> calls, CancellationToken cancellation)
    {
        var text = calls.Count == 0 ? null : JsonSerializer.Serialize(calls);
        return store.ChangeAsync<bool>(async db =>
        {
            var told = await db.Replicas.Where(row => row.Id == self.Id).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.OpenCalls, text)
                .SetProperty(row => row.CallsAt, _ => StoreClock.Now()), cancellation);
            return Change.Keep(told > 0);
        }, cancellation);
    }

    public Task<Result<IReadOnlyList<ReplicaCalls>>> CallsElsewhereAsync(Guid sessionId, Replica self, CancellationToken cancellation) =>
        store.ReadAsync<IReadOnlyList<ReplicaCalls>>(async db =>
        {
            var rows = await db.Replicas
                .Where(row => row.Id != self.Id && row.OpenCalls != null && row.HeartbeatAt > StoreClock.SecondsAgo(deadAfter))
                .OrderBy(row => row.Host).ThenBy(row => row.Id)
                .ToListAsync(cancellation);
            return [.. rows.Select(row => new ReplicaCalls(row.Id, row.Host, CountOf(row.OpenCalls, sessionId), SessionRow.Utc(row.CallsAt))).Where(calls => calls.Calls > 0)];
        }, cancellation);

    public Task<Result<ReplicaPlace?>> FindReplicaAsync(Guid replica, CancellationToken cancellation) =>
        store.ReadAsync(async db =>
        {
            var row = await db.Replicas.SingleOrDefaultAsync(row => row.Id == replica, cancellation);
            return row is null ? null : new ReplicaPlace(row.Id, row.Host, row.StateDir ?? "");
        }, cancellation);

    /// <summary>A later version may write something else: that is no reason to show no session.</summary>
    private static int CountOf(string? calls, Guid session)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<Guid, int>>(calls ?? "{}")?.GetValueOrDefault(session) ?? 0;
        }
        catch (JsonException)
        {
            return 0;
        }
    }
}
