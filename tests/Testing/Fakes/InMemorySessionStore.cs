using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>ISessionStore's rules in a dictionary, for tests of use cases; the real store has its own tests.</summary>
public sealed partial class InMemorySessionStore(TimeProvider time) : ISessionStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Session> sessions = [];
    private readonly Dictionary<ClientSessionKey, Binding> bindings = [];
    private readonly Dictionary<ClientSessionKey, DateTimeOffset> releases = [];
    private readonly List<string> audit = [];

    /// <summary>Set: every call answers with this error, as a store does that cannot be reached.</summary>
    public GatewayError? Down { get; set; }

    /// <summary>Sessions that the next heartbeat reports as lost.</summary>
    public List<Guid> LostAtNextHeartbeat { get; } = [];

    public int Heartbeats { get; private set; }

    /// <summary>How often it was asked which sessions end, and how often it refused anything.</summary>
    public int Looks { get; private set; }

    public int Refused { get; private set; }

    /// <summary>"action subject detail" of each change, in order.</summary>
    public IReadOnlyList<string> Audit
    {
        get
        {
            lock (gate) return [.. audit];
        }
    }

    public IReadOnlyList<Session> Sessions
    {
        get
        {
            lock (gate) return [.. sessions.Values];
        }
    }

    /// <summary>Puts a session there as another replica would have.</summary>
    public Session Add(Session session)
    {
        lock (gate) return sessions[session.Id] = session;
    }

    public Binding? BindingOf(ClientSessionKey key)
    {
        lock (gate) return bindings.GetValueOrDefault(key);
    }

    public Task<Result<BoundSession?>> FindBindingAsync(ClientSessionKey key, CancellationToken cancellation) =>
        Answer(() => Result<BoundSession?>.Ok(Bound_NeedsLock(key)));

    public Task<Result<Session?>> FindSessionAsync(Guid id, CancellationToken cancellation) =>
        Answer(() => Result<Session?>.Ok(sessions.GetValueOrDefault(id)));

    public Task<Result<Session?>> FindLiveSessionAsync(SessionName name, CancellationToken cancellation) =>
        Answer(() => Result<Session?>.Ok(sessions.Values.SingleOrDefault(session => session.Name == name && session.IsLive)));

    public Task<Result<IReadOnlyList<Session>>> ListLiveAsync(CancellationToken cancellation) =>
        Answer(() => Result<IReadOnlyList<Session>>.Ok([.. sessions.Values.Where(session => session.State != SessionState.Ended).OrderBy(session => session.OpenedAt)]));

    public Task<Result<ClaimedBinding>> OpenAsync(NewSession session, ClientSessionKey key, SessionLimits limits, Caller caller, CancellationToken cancellation) => Answer<ClaimedBinding>(() =>
    {
        if (Bound_NeedsLock(key) is { } there) return new ClaimedBinding(there, Won: false);
        var live = sessions.Values.Where(it => it.Kind == SessionKind.OnDemand && it.State != SessionState.Ended).ToList();
        if (live.Count >= limits.MaxSessions || live.Count(it => it.OpenedBy == session.OpenedBy) >= limits.MaxPerUser)
            return new GatewayError(ErrorCode.ResourceExhausted, Blame.Client, "Too many sessions.");

        sessions[session.Id] = new Session
        {
            Id = session.Id,
            Name = session.Name,
            Incarnation = 1,
            Kind = SessionKind.OnDemand,
            Platform = session.Platform,
            State = SessionState.Starting,
            Team = session.Team,
            Environment = session.Environment,
            OpenedBy = session.OpenedBy,
            OwnerReplica = session.OwnerReplica,
            OpenedAt = time.GetUtcNow(),
        };
        leases[session.Id] = time.GetUtcNow() + LaunchLease;
        audit.Add($"open {session.Name}");
        return new ClaimedBinding(Bind_NeedsLock(key, session.Id, BoundVia.OnDemand), Won: true);
    });

    public Task<Result<ClaimedBinding>> BindAsync(ClientSessionKey key, Guid sessionId, BoundVia via, Caller caller, CancellationToken cancellation) => Answer<ClaimedBinding>(() =>
    {
        if (Bound_NeedsLock(key) is { } there) return new ClaimedBinding(there, Won: false);
        if (sessions.GetValueOrDefault(sessionId) is not { IsLive: true }) return Gone;
        return new ClaimedBinding(Bind_NeedsLock(key, sessionId, via), Won: true);
    });

    public Task<Result<Session>> MarkReadyAsync(Guid id, Guid owner, string address, string runtimeId, TimeSpan maxTtl, CancellationToken cancellation) => Answer<Session>(() =>
    {
        if (Start_NeedsLock(id, owner) is not { } session) return Gone;
        leases.Remove(id);
        audit.Add($"ready {session.Name}");
        return sessions[id] = session.BecomeReady(address, runtimeId, time.GetUtcNow()).Value with { MaxTtlAt = time.GetUtcNow() + maxTtl };
    });

    public Task<Result<int>> ReleaseAsync(ClientSessionKey key, Caller caller, CancellationToken cancellation) => Answer<int>(() =>
    {
        if (bindings.GetValueOrDefault(key) is not { } binding) return 0;
        if (binding.State == BindingState.Bound)
        {
            bindings[key] = binding with { State = BindingState.Released };
            releases[key] = time.GetUtcNow();
            audit.Add($"release {key}");
        }

        return BoundCount_NeedsLock(binding.SessionId);
    });

    public Task<Result<Session?>> EndAsync(Guid id, EndReason reason, string detail, Caller actor, CancellationToken cancellation) =>
        Answer(() => Result<Session?>.Ok(End_NeedsLock(id, reason, detail)));

    /// <summary>Set by a test; the real one counts from the last failure.</summary>
    public TimeSpan SteadyFor { get; set; } = TimeSpan.MaxValue;

    public Task<Result<bool>> RecordActivityAsync(IReadOnlyList<SessionActivity> used, TimeSpan busyFor, CancellationToken cancellation) => Answer<bool>(() =>
    {
        foreach (var (id, isBusy) in used)
            if (sessions.GetValueOrDefault(id) is { IsLive: true } session)
                sessions[id] = session with { LastActivityAt = time.GetUtcNow(), BusyUntil = isBusy ? time.GetUtcNow() + busyFor : session.BusyUntil };
        return true;
    });

    public Task<Result<IReadOnlyList<SessionUse>>> ListExpiringAsync(TimeSpan idle, TimeSpan left, CancellationToken cancellation) => Answer(() =>
        Result<IReadOnlyList<SessionUse>>.Ok([.. sessions.Values.Where(session => session is { Kind: SessionKind.OnDemand, State: SessionState.Ready }).Select(Use_NeedsLock)]));

    public Task<Result<Session?>> MarkEndingAsync(Guid id, EndReason reason, string detail, EndCondition condition, CancellationToken cancellation) => Answer(() =>
    {
        if (sessions.GetValueOrDefault(id) is not { State: SessionState.Ready } session || !Holds_NeedsLock(session, condition)) return Result<Session?>.Ok(null);
        audit.Add($"ending {session.Name} {reason} {detail}");
        return sessions[id] = session.BeginEnding(reason, detail).Value;
    });

    public Task<Result<IReadOnlyList<Session>>> ListEndingAsync(TimeSpan endedWithin, CancellationToken cancellation)
    {
        lock (gate) Looks++;
        return Answer(() => Result<IReadOnlyList<Session>>.Ok(
            [.. sessions.Values.Where(session => session.State == SessionState.Ending || session.EndedAt >= time.GetUtcNow() - endedWithin)]));
    }

    public Task<Result<int>> PruneAsync(TimeSpan age, CancellationToken cancellation) => Answer<int>(() =>
    {
        var old = sessions.Values.Where(session => session.EndedAt <= time.GetUtcNow() - age).Select(session => session.Id).ToList();
        foreach (var (key, binding) in bindings.ToList())
            if (old.Contains(binding.SessionId)) bindings.Remove(key);
        foreach (var id in old) sessions.Remove(id);
        return old.Count;
    });

    public Task<Result<IReadOnlyList<Session>>> SyncAttachedAsync(IReadOnlyList<AttachedDriver> drivers, CancellationToken cancellation) => Answer(() =>
    {
        var attached = sessions.Values.Where(session => session is { Kind: SessionKind.Attached, State: SessionState.Ready }).ToList();
        foreach (var session in attached)
            if (!drivers.Any(driver => driver.Name == session.Name && driver.Address == session.Address)) End_NeedsLock(session.Id, EndReason.Replaced, "no longer in the configuration");

        var now = new List<Session>();
        foreach (var driver in drivers)
        {
            var session = attached.SingleOrDefault(it => it.Name == driver.Name && it.Address == driver.Address) ?? New(driver);
            sessions[session.Id] = session;
            now.Add(session);
        }

        return Result<IReadOnlyList<Session>>.Ok(now);
    });

    public Task<Result<IReadOnlyList<Session>>> HeartbeatAsync(Replica self, CancellationToken cancellation) => Answer(() =>
    {
        Heartbeats++;
        var lost = LostAtNextHeartbeat.Select(id => End_NeedsLock(id, EndReason.Lost, "")).OfType<Session>().ToList();
        LostAtNextHeartbeat.Clear();
        return Result<IReadOnlyList<Session>>.Ok(lost);
    });

    public Task<Result<bool>> RecordDenialAsync(Denial denial, CancellationToken cancellation) => Answer<bool>(() =>
    {
        audit.Add($"deny {denial.Key} {denial.Reason} ({denial.Calls} calls)");
        return true;
    });

    private static GatewayError Gone => new(ErrorCode.SessionChanged, Blame.Gateway, "The session has ended meanwhile.");

    // Always on another stack, as a real store answers.
    private async Task<Result<T>> Answer<T>(Func<Result<T>> work)
    {
        await Task.Yield();
        lock (gate)
        {
            if (Down is not { } down) return work();
            Refused++;
            return down;
        }
    }

    private BoundSession? Bound_NeedsLock(ClientSessionKey key) =>
        bindings.GetValueOrDefault(key) is { } binding ? new BoundSession(binding, sessions[binding.SessionId]) : null;

    private BoundSession Bind_NeedsLock(ClientSessionKey key, Guid sessionId, BoundVia via)
    {
        bindings[key] = new Binding(key, sessionId, BindingState.Bound, via);
        audit.Add($"bind {key} {via}");
        return Bound_NeedsLock(key)!;
    }

    private int BoundCount_NeedsLock(Guid sessionId) =>
        bindings.Values.Count(binding => binding.SessionId == sessionId && binding.State == BindingState.Bound);

    private SessionUse Use_NeedsLock(Session session) => new(session, BoundCount_NeedsLock(session.Id), LastRelease_NeedsLock(session.Id), time.GetUtcNow());

    private DateTimeOffset? LastRelease_NeedsLock(Guid sessionId) =>
        releases.Where(it => bindings[it.Key].SessionId == sessionId).Max(it => (DateTimeOffset?)it.Value);

    private bool Holds_NeedsLock(Session session, EndCondition condition)
    {
        var now = time.GetUtcNow();
        return condition switch
        {
            EndCondition.IdleFor idle => session.LastActivityAt <= now - idle.Time && !(session.BusyUntil > now),
            EndCondition.Told => true,
            EndCondition.ReleasedFor released => BoundCount_NeedsLock(session.Id) == 0 && LastRelease_NeedsLock(session.Id) <= now - released.Time,
            _ => session.MaxTtlAt <= now,
        };
    }

    private Session? End_NeedsLock(Guid id, EndReason reason, string detail)
    {
        if (sessions.GetValueOrDefault(id) is not { } session || session.State == SessionState.Ended) return null;
        foreach (var (key, binding) in bindings.Where(it => it.Value.SessionId == id && it.Value.State == BindingState.Bound).ToList())
            bindings[key] = binding with { State = BindingState.Ended };
        leases.Remove(id);
        audit.Add($"end {session.Name} {reason} {detail}");
        return sessions[id] = session.End(reason, detail, time.GetUtcNow()).Value;
    }

    private Session New(AttachedDriver driver) => new()
    {
        Id = Guid.NewGuid(),
        Name = driver.Name,
        Incarnation = 1 + sessions.Values.Count(session => session.Name == driver.Name),
        Kind = SessionKind.Attached,
        Platform = "config",
        State = SessionState.Ready,
        Address = driver.Address,
        OpenedAt = time.GetUtcNow(),
        ReadyAt = time.GetUtcNow(),
    };
}
