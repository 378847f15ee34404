using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>
/// The store of one replica: each call waits to be chosen before it begins and before its caller hears of it, may fail on either side of
/// its commit, and is followed by a look whether the rows are still as they must be.
/// </summary>
internal sealed class ScheduledStore(Replicated inner, SimReplica owner, Simulation simulation) : ISessionStore, IOperatorStore, ISessionCatalog, IReplicaBoard
{
    private static readonly GatewayError Down = GatewayError.Unavailable(Blame.Gateway, "The store cannot be used now.");
    private readonly ISessionStore store = inner.Sessions;
    private TimeSpan steadySince;

    /// <summary>The next calls that fail.</summary>
    public int FailingCalls { get; set; }

    /// <summary>They fail after their commit.</summary>
    public bool FailsLate { get; set; }

    public TimeSpan SteadyFor => simulation.Scheduler.Elapsed - steadySince;

    public Task<Result<BoundSession?>> FindBindingAsync(ClientSessionKey key, CancellationToken cancellation) =>
        ReadAsync($"find {simulation.NameOf(key)}", () => store.FindBindingAsync(key, CancellationToken.None));

    public Task<Result<Session?>> FindSessionAsync(Guid id, CancellationToken cancellation) =>
        ReadAsync($"read {simulation.NameOf(id)}", () => store.FindSessionAsync(id, CancellationToken.None));

    public Task<Result<Session?>> FindLiveSessionAsync(SessionName name, CancellationToken cancellation) =>
        ReadAsync("find name", () => store.FindLiveSessionAsync(name, CancellationToken.None));

    public Task<Result<IReadOnlyList<Session>>> ListLiveAsync(CancellationToken cancellation) =>
        ReadAsync("list live", () => store.ListLiveAsync(CancellationToken.None));

    public Task<Result<ClaimedBinding>> OpenAsync(NewSession session, ClientSessionKey key, SessionLimits limits, Caller caller, CancellationToken cancellation) =>
        ChangeAsync($"open {simulation.NameOf(session.Id)} for {simulation.NameOf(key)}", () => store.OpenAsync(session, key, limits, caller, CancellationToken.None));

    public Task<Result<ClaimedBinding>> BindAsync(ClientSessionKey key, Guid sessionId, BoundVia via, Caller caller, CancellationToken cancellation) =>
        ChangeAsync($"bind {simulation.NameOf(key)} to {simulation.NameOf(sessionId)} by {via}", () => store.BindAsync(key, sessionId, via, caller, CancellationToken.None));

    public Task<Result<bool>> RenewLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) =>
        ChangeAsync($"renew {simulation.NameOf(id)}", () => store.RenewLaunchAsync(id, owner, CancellationToken.None));

    public Task<Result<Session?>> TakeOverLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) =>
        ChangeAsync($"take over {simulation.NameOf(id)}", () => store.TakeOverLaunchAsync(id, owner, CancellationToken.None));

    public Task<Result<IReadOnlyList<Session>>> ListLapsedLaunchesAsync(CancellationToken cancellation) =>
        ReadAsync("list lapsed", () => store.ListLapsedLaunchesAsync(CancellationToken.None));

    public Task<Result<Session?>> EndLaunchAsync(Guid id, Guid owner, EndReason reason, string detail, CancellationToken cancellation) =>
        ChangeAsync($"end start of {simulation.NameOf(id)}: {reason}", () => store.EndLaunchAsync(id, owner, reason, detail, CancellationToken.None));

    public Task<Result<Session>> MarkReadyAsync(Guid id, Guid owner, string address, string runtimeId, TimeSpan maxTtl, CancellationToken cancellation) =>
        ChangeAsync($"mark {simulation.NameOf(id)} ready at {address}", () => store.MarkReadyAsync(id, owner, address, runtimeId, maxTtl, CancellationToken.None));

    public Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation) =>
        ChangeAsync($"release {simulation.NameOf(key)}", () => store.ReleaseAsync(key, caller, CancellationToken.None));

    public Task<Result<bool>> RecordActivityAsync(IReadOnlyList<SessionActivity> used, TimeSpan busyFor, CancellationToken cancellation) =>
        ChangeAsync("activity", () => store.RecordActivityAsync(used, busyFor, CancellationToken.None));

    public Task<Result<IReadOnlyList<SessionUse>>> ListExpiringAsync(TimeSpan idle, TimeSpan left, CancellationToken cancellation) =>
        ReadAsync("list expiring", () => store.ListExpiringAsync(idle, left, CancellationToken.None));

    public Task<Result<Session?>> MarkEndingAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation) =>
        ChangeAsync($"mark {simulation.NameOf(id)} ending: {reason}", () => store.MarkEndingAsync(id, reason, detail, condition, CancellationToken.None));

    public Task<Result<IReadOnlyList<Session>>> ListEndingAsync(TimeSpan endedWithin, CancellationToken cancellation) =>
        ReadAsync("list ending", () => store.ListEndingAsync(endedWithin, CancellationToken.None));

    public Task<Result<int>> PruneAsync(TimeSpan age, CancellationToken cancellation) => ChangeAsync("prune", () => store.PruneAsync(age, CancellationToken.None));

    public Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation) =>
        ChangeAsync($"end {simulation.NameOf(id)}: {reason}", () => store.EndAsync(id, reason, detail, actor, CancellationToken.None));

    public Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation) =>
        ChangeAsync("sync attached", () => store.SyncAttachedAsync(drivers, CancellationToken.None));

    public Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation) =>
        ChangeAsync("heartbeat", () => store.HeartbeatAsync(self, CancellationToken.None));

    public Task<Result<bool>> RecordDenialAsync(Denial denial, CancellationToken cancellation) =>
        ChangeAsync($"deny: {denial.Code}", () => store.RecordDenialAsync(denial, CancellationToken.None));

    public Task<Result<Session>> OpenUnclaimedAsync(UnclaimedSession session, SessionLimits limits, Caller actor, CancellationToken cancellation) =>
        ChangeAsync($"open {simulation.NameOf(session.Id)} unclaimed", () => inner.Operators.OpenUnclaimedAsync(session, limits, actor, CancellationToken.None));

    public Task<Result<BoundSession?>> ClaimAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation) =>
        ChangeAsync($"claim {simulation.NameOf(key)}", () => inner.Operators.ClaimAsync(key, caller, CancellationToken.None));

    public Task<Result<Session>> ExtendAsync(Guid id, int minutes, int mostHoursAhead, Caller actor, CancellationToken cancellation) =>
        ChangeAsync($"extend {simulation.NameOf(id)}", () => inner.Operators.ExtendAsync(id, minutes, mostHoursAhead, actor, CancellationToken.None));

    public Task<Result<SessionPage>> ListAsync(SessionFilter filter, SessionPageKey? after, int limit, CancellationToken cancellation) =>
        ReadAsync("list", () => inner.Catalog.ListAsync(filter, after, limit, CancellationToken.None));

    public Task<Result<Session?>> FindAsync(SessionRef session, CancellationToken cancellation) =>
        ReadAsync("look up", () => inner.Catalog.FindAsync(session, CancellationToken.None));

    public Task<Result<SessionRecord?>> DescribeAsync(SessionRef session, int mostBindings, int mostAuditRows, CancellationToken cancellation) =>
        ReadAsync("describe", () => inner.Catalog.DescribeAsync(session, mostBindings, mostAuditRows, CancellationToken.None));

    public Task<Result<bool>> TellCallsAsync(Replica self, IReadOnlyDictionary<Guid, int> calls, CancellationToken cancellation) =>
        ChangeAsync("tell calls", () => inner.Board.TellCallsAsync(self, calls, CancellationToken.None));

    public Task<Result<IReadOnlyList<ReplicaCalls>>> CallsElsewhereAsync(Guid sessionId, Replica self, CancellationToken cancellation) =>
        ReadAsync("calls elsewhere", () => inner.Board.CallsElsewhereAsync(sessionId, self, CancellationToken.None));

    public Task<Result<ReplicaPlace?>> FindReplicaAsync(Guid replica, CancellationToken cancellation) =>
        ReadAsync("find replica", () => inner.Board.FindReplicaAsync(replica, CancellationToken.None));

    private Task<Result<T>> ReadAsync<T>(string what, Func<Task<Result<T>>> call) => CallAsync(what, isChange: false, call);

    private Task<Result<T>> ChangeAsync<T>(string what, Func<Task<Result<T>>> call) => CallAsync(what, isChange: true, call);

    private async Task<Result<T>> CallAsync<T>(string what, bool isChange, Func<Task<Result<T>>> call)
    {
        var scheduler = simulation.Scheduler;
        await scheduler.PointAsync(owner, what);
        var fails = FailingCalls > 0;
        if (fails) FailingCalls--;
        Result<T> result = Down;
        if (!fails || FailsLate)
        {
            var done = await scheduler.OutsideAsync(call);
            if (!fails) result = done;
            if (isChange) simulation.Check();
        }

        if (result.Error is { Code: ErrorCode.Unavailable } error)
        {
            if (error != Down) throw new InvariantException($"The store failed by itself at {what}: {error.Text}");
            steadySince = scheduler.Elapsed;
        }

        await scheduler.PointAsync(owner, result.Error is { } seen ? $"{what}: {seen.Code}" : $"{what}: done");
        return result;
    }
}

/// <summary>The real stores of one replica.</summary>
internal sealed record Replicated(ISessionStore Sessions, IOperatorStore Operators, ISessionCatalog Catalog, IReplicaBoard Board);
