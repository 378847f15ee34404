namespace SparkGateway.Domain.Sessions;

public enum SessionKind
{
    /// <summary>The gateway made the driver and ends it.</summary>
    OnDemand,

    /// <summary>Somebody else's driver (BYOD): the gateway finds it and never ends it.</summary>
    Attached,
}

public enum SessionState
{
    Starting,
    Ready,
    Ending,
    Ended,
}

/// <summary>Why a session ended. The column holds the name in lower case with underscores.</summary>
public enum EndReason
{
    Idle,
    MaxTtl,
    Released,
    ClosedByOperator,
    Crashed,
    StartFailed,
    StartAbandoned,
    Lost,
    Replaced,
}

/// <summary>One Spark driver that the gateway routes to, and its life. Immutable; each move returns the new session.</summary>
public sealed record Session
{
    /// <summary>The platform whose drivers are child processes of the replica that launched them.</summary>
    public const string LocalPlatform = "local";

    /// <summary>The platform of attached sessions that the configuration lists.</summary>
    public const string ConfigPlatform = "config";

    public required Guid Id { get; init; }

    public required SessionName Name { get; init; }

    /// <summary>Counts the drivers that had this name, from 1: a name may be used again.</summary>
    public required int Incarnation { get; init; }

    public required SessionKind Kind { get; init; }

    /// <summary>"local", "kubernetes" or, for attached sessions of the configuration, "config".</summary>
    public required string Platform { get; init; }

    public required SessionState State { get; init; }

    public string? Team { get; init; }

    public string? Environment { get; init; }

    /// <summary>The user who opened it; empty where the client named none; null for attached and pre-created sessions.</summary>
    public string? OpenedBy { get; init; }

    /// <summary>The replica that launched the driver; on platform local it is the only one that can end it.</summary>
    public Guid? OwnerReplica { get; init; }

    /// <summary>host:port of the driver once it is ready.</summary>
    public string? Address { get; init; }

    /// <summary>Tells one process or pod from its successor at the same address: pid and start time, or pod uid.</summary>
    public string? RuntimeId { get; init; }

    public DateTimeOffset OpenedAt { get; init; }

    public DateTimeOffset? ReadyAt { get; init; }

    public DateTimeOffset? LastActivityAt { get; init; }

    /// <summary>Until then it counts as used: a replica has seen open calls of it, or one that broke.</summary>
    public DateTimeOffset? BusyUntil { get; init; }

    /// <summary>When it ends whatever it does; null for attached sessions, and before it is ready.</summary>
    public DateTimeOffset? MaxTtlAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public EndReason? EndReason { get; init; }

    public string? EndDetail { get; init; }

    public bool IsLive => State is SessionState.Starting or SessionState.Ready;

    /// <summary>Its driver lives on without the replica that launched it, and any other can find and stop it.</summary>
    public bool OutlivesReplica => Platform != LocalPlatform;

    /// <summary>Can that replica stop the driver, and is it the gateway's to stop?</summary>
    public bool IsStoppableBy(Guid replica) => Kind == SessionKind.OnDemand && (OutlivesReplica || OwnerReplica == replica);

    public Result<Session> BecomeReady(string address, string runtimeId, DateTimeOffset at) => State == SessionState.Starting
        ? this with { State = SessionState.Ready, Address = address, RuntimeId = runtimeId, ReadyAt = at, LastActivityAt = at }
        : Illegal(SessionState.Ready);

    public Result<Session> BeginEnding(EndReason reason, string? detail) => IsLive
        ? this with { State = SessionState.Ending, EndReason = reason, EndDetail = detail }
        : Illegal(SessionState.Ending);

    public Result<Session> End(EndReason reason, string? detail, DateTimeOffset at) => State != SessionState.Ended
        ? this with { State = SessionState.Ended, EndReason = EndReason ?? reason, EndDetail = EndDetail ?? detail, EndedAt = at }
        : Illegal(SessionState.Ended);

    /// <summary>How logs and texts name it.</summary>
    public override string ToString() => Name.ToString();

    private GatewayError Illegal(SessionState target) =>
        new(ErrorCode.Internal, Blame.Gateway, $"Session {Name} cannot go from {State} to {target}.");
}
