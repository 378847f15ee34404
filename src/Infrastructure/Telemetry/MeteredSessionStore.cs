using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>Counts and logs what the store has accepted: the transaction that opened or ended a session is the one truth about it.</summary>
internal sealed partial class MeteredSessionStore(ISessionStore store, ILogger<MeteredSessionStore> logger) : ISessionStore
{
    public async Task<Result<ClaimedBinding>> OpenAsync(NewSession session, ClientSessionKey key, SessionLimits limits, Caller caller, CancellationToken cancellation)
    {
        var opened = await store.OpenAsync(session, key, limits, caller, cancellation);
        if (opened is { IsOk: true, Value.Won: true }) GatewayMetrics.SessionOpened(opened.Value.Bound.Session);
        return opened;
    }

    public async Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation)
    {
        var ended = await store.EndAsync(id, reason, detail, actor, cancellation);
        if (ended is { IsOk: true, Value: { } session }) GatewayMetrics.SessionEnded(session);
        return ended;
    }

    public async Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation)
    {
        var lost = await store.HeartbeatAsync(self, cancellation);
        if (!lost.IsOk) return lost;
        foreach (var session in lost.Value) GatewayMetrics.SessionEnded(session);
        return lost;
    }

    public async Task<Result<Session?>> EndLaunchAsync(Guid id, Guid owner, EndReason reason, string detail, CancellationToken cancellation)
    {
        var ended = await store.EndLaunchAsync(id, owner, reason, detail, cancellation);
        if (ended is { IsOk: true, Value: { } session }) GatewayMetrics.SessionEnded(session);
        return ended;
    }

    public Task<Result<bool>> RenewLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) => store.RenewLaunchAsync(id, owner, cancellation);

    public Task<Result<Session?>> TakeOverLaunchAsync(Guid id, Guid owner, CancellationToken cancellation) => store.TakeOverLaunchAsync(id, owner, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListLapsedLaunchesAsync(CancellationToken cancellation) => store.ListLapsedLaunchesAsync(cancellation);

    public TimeSpan SteadyFor => store.SteadyFor;

    public Task<Result<bool>> RecordActivityAsync(IReadOnlyList<SessionActivity> used, TimeSpan busyFor, CancellationToken cancellation) => store.RecordActivityAsync(used, busyFor, cancellation);

    public Task<Result<IReadOnlyList<SessionUse>>> ListExpiringAsync(TimeSpan idle, TimeSpan left, CancellationToken cancellation) => store.ListExpiringAsync(idle, left, cancellation);

    public Task<Result<Session?>> MarkEndingAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation) => store.MarkEndingAsync(id, reason, detail, condition, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListEndingAsync(TimeSpan endedWithin, CancellationToken cancellation) => store.ListEndingAsync(endedWithin, cancellation);

    public Task<Result<int>> PruneAsync(TimeSpan age, CancellationToken cancellation) => store.PruneAsync(age, cancellation);

    public Task<Result<BoundSession?>> FindBindingAsync(ClientSessionKey key, CancellationToken cancellation) => store.FindBindingAsync(key, cancellation);

    public Task<Result<Session?>> FindSessionAsync(Guid id, CancellationToken cancellation) => store.FindSessionAsync(id, cancellation);

    public Task<Result<Session?>> FindLiveSessionAsync(SessionName name, CancellationToken cancellation) => store.FindLiveSessionAsync(name, cancellation);

    public Task<Result<IReadOnlyList<Session>>> ListLiveAsync(CancellationToken cancellation) => store.ListLiveAsync(cancellation);

    public async Task<Result<ClaimedBinding>> BindAsync(ClientSessionKey key, Guid sessionId, BoundVia via, Caller caller, CancellationToken cancellation)
    {
        var bound = await store.BindAsync(key, sessionId, via, caller, cancellation);
        if (bound is { IsOk: true, Value.Won: true }) LogBound(logger, bound.Value.Bound.Session, key.Prefix, key.UserId, via);
        return bound;
    }

    public Task<Result<Session>> MarkReadyAsync(Guid id, Guid owner, string address, string runtimeId, TimeSpan maxTtl, CancellationToken cancellation) => store.MarkReadyAsync(id, owner, address, runtimeId, maxTtl, cancellation);

    public async Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation)
    {
        var released = await store.ReleaseAsync(key, caller, cancellation);
        if (released.IsOk) LogReleased(logger, key.Prefix, key.UserId, released.Value);
        return released;
    }

    public Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation) => store.SyncAttachedAsync(drivers, cancellation);

    public Task<Result<bool>> RecordDenialAsync(Denial denial, CancellationToken cancellation)
    {
        LogDenied(logger, denial.Calls, denial.Caller.User, denial.Key?.Prefix ?? "", denial.Caller.Address, FeatureTelemetry.Word(denial.Code), denial.Reason);
        return store.RecordDenialAsync(denial, cancellation);
    }

    [LoggerMessage(3200, LogLevel.Information, "Session {Session}: client session {ClientSession} of user {User} uses it too, via {Via}.")]
    private static partial void LogBound(ILogger logger, Session session, string clientSession, string user, BoundVia via);

    [LoggerMessage(3201, LogLevel.Information, "Client session {ClientSession} of user {User} was released; its session has {Left} others.")]
    private static partial void LogReleased(ILogger logger, string clientSession, string user, int left);

    [LoggerMessage(3202, LogLevel.Information, "Refused {Calls} calls of user {User}, client session {ClientSession}, from {ClientAddress}: {Code}. {Reason}")]
    private static partial void LogDenied(ILogger logger, int calls, string user, string clientSession, string clientAddress, string code, string reason);
}
