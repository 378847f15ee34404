using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Testing.Fakes;

/// <summary>Who starts a driver, and until when it has the start to itself.</summary>
public sealed partial class InMemorySessionStore
{
    private readonly Dictionary<Guid, DateTimeOffset> leases = [];

    private readonly Channel<int> renewed = Channel.CreateUnbounded<int>();

    public TimeSpan LaunchLease { get; set; } = TimeSpan.FromSeconds(30);

    public int Renewals { get; private set; }

    /// <summary>Waits for that renewal, counted from 1.</summary>
    public async Task RenewedAsync(int number, CancellationToken cancellation)
    {
        while (await renewed.Reader.ReadAsync(cancellation) < number)
        {
        }
    }

    /// <summary>As if its replica had been silent for longer than the lease.</summary>
    public void Lapse(Guid id)
    {
        lock (gate) leases[id] = DateTimeOffset.MinValue;
    }

    public Task<Result<bool>> RenewLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) => Answer<bool>(() =>
    {
        if (Start_NeedsLock(id, owner) is null) return false;
        leases[id] = time.GetUtcNow() + LaunchLease;
        renewed.Writer.TryWrite(++Renewals);
        return true;
    });

    public Task<Result<Session?>> TakeOverLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) => Answer(() =>
    {
        if (!IsLapsed_NeedsLock(id)) return Result<Session?>.Ok(null);
        leases[id] = time.GetUtcNow() + LaunchLease;
        audit.Add($"adopt {sessions[id].Name}");
        return sessions[id] = sessions[id] with { OwnerReplica = owner };
    });

    public Task<Result<IReadOnlyList<Session>>> ListLapsedLaunchesAsync(CancellationToken cancellation) => Answer(() =>
        Result<IReadOnlyList<Session>>.Ok([.. sessions.Values.Where(session => IsLapsed_NeedsLock(session.Id))]));

    public Task<Result<Session?>> EndLaunchAsync(Guid id, Guid owner, EndReason reason, string detail, CancellationToken cancellation) => Answer(() =>
        Result<Session?>.Ok(sessions.GetValueOrDefault(id)?.OwnerReplica == owner ? End_NeedsLock(id, reason, detail) : null));

    private Session? Start_NeedsLock(Guid id, Guid owner) =>
        sessions.GetValueOrDefault(id) is { State: SessionState.Starting } session && session.OwnerReplica == owner ? session : null;

    private bool IsLapsed_NeedsLock(Guid id) =>
        sessions[id].State == SessionState.Starting && leases.TryGetValue(id, out var until) && until < time.GetUtcNow();
}
