using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>The board of all replicas of a test.</summary>
public sealed class FakeReplicaBoard : IReplicaBoard
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, (Replica Replica, IReadOnlyDictionary<Guid, int> Calls)> told = [];

    public int Tellings { get; private set; }

    public Dictionary<Guid, ReplicaPlace> Places { get; } = [];

    public Task<Result<bool>> TellCallsAsync(Replica self, IReadOnlyDictionary<Guid, int> calls, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(self);
        lock (gate)
        {
            Tellings++;
            told[self.Id] = (self, calls);
        }

        return Task.FromResult<Result<bool>>(true);
    }

    public Task<Result<IReadOnlyList<ReplicaCalls>>> CallsElsewhereAsync(Guid sessionId, Replica self, CancellationToken cancellation)
    {
        lock (gate)
        {
            return Task.FromResult(Result<IReadOnlyList<ReplicaCalls>>.Ok(
                [.. told.Values.Where(one => one.Replica.Id != self.Id && one.Calls.ContainsKey(sessionId)).Select(one => new ReplicaCalls(one.Replica.Id, one.Replica.Host, one.Calls[sessionId], DateTimeOffset.UnixEpoch))]));
        }
    }

    public Task<Result<ReplicaPlace?>> FindReplicaAsync(Guid replica, CancellationToken cancellation) =>
        Task.FromResult(Result<ReplicaPlace?>.Ok(Places.GetValueOrDefault(replica)));
}
