using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>A row of `sessions`. Times are DateTime because SQLite cannot compare what EF writes for DateTimeOffset.</summary>
internal sealed class SessionRow
{
    public Guid Id { get; init; }

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public int Incarnation { get; init; }

    public SessionKind Kind { get; init; }

    public required string Platform { get; init; }

    public SessionState State { get; init; }

    public string? Team { get; init; }

    public string? Environment { get; init; }

    public string? OpenedBy { get; init; }

    public Guid? OwnerReplica { get; init; }

    public DateTime? LaunchLeaseUntil { get; init; }

    public string? Address { get; init; }

    public string? RuntimeId { get; init; }

    public long? RuntimeSince { get; init; }

    public DateTime OpenedAt { get; init; }

    public DateTime? ReadyAt { get; init; }

    public DateTime? LastActivityAt { get; init; }

    public DateTime? BusyUntil { get; init; }

    public DateTime? MaxTtlAt { get; init; }

    public DateTime? EndedAt { get; init; }

    public EndReason? EndReason { get; init; }

    public string? EndDetail { get; init; }

    public Session ToSession() => new()
    {
        Id = Id,
        Name = new SessionName(Namespace, Name),
        Incarnation = Incarnation,
        Kind = Kind,
        Platform = Platform,
        State = State,
        Team = Team,
        Environment = Environment,
        OpenedBy = OpenedBy,
        OwnerReplica = OwnerReplica,
        Address = Address,
        RuntimeId = RuntimeId,
        OpenedAt = Utc(OpenedAt),
        ReadyAt = Utc(ReadyAt),
        LastActivityAt = Utc(LastActivityAt),
        BusyUntil = Utc(BusyUntil),
        MaxTtlAt = Utc(MaxTtlAt),
        EndedAt = Utc(EndedAt),
        EndReason = EndReason,
        EndDetail = EndDetail,
    };

    internal static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));

    internal static DateTimeOffset? Utc(DateTime? time) => time is { } value ? Utc(value) : null;
}

/// <summary>A row of `bindings`.</summary>
internal sealed class BindingRow
{
    public required byte[] Key { get; init; }

    public string? ClaimedUser { get; init; }

    public required string ClientSessionPrefix { get; init; }

    public Guid SessionRowId { get; init; }

    public BindingState State { get; init; }

    public BoundVia Via { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? ReleasedAt { get; init; }

    public Binding ToBinding(ClientSessionKey key) => new(key, SessionRowId, State, Via);
}

/// <summary>A row of `replicas`.</summary>
internal sealed class ReplicaRow
{
    public Guid Id { get; init; }

    public required string Host { get; init; }

    public DateTime StartedAt { get; init; }

    public DateTime HeartbeatAt { get; init; }

    public DateTime SteadySince { get; init; }

    public string? StateDir { get; init; }

    public string? OpenCalls { get; init; }

    public DateTime? CallsAt { get; init; }
}

/// <summary>The one row of `session_turn`.</summary>
internal sealed class TurnRow
{
    public int Id { get; init; }

    public DateTime TakenAt { get; init; }
}

/// <summary>The one row of `gateway_instance`.</summary>
internal sealed class InstanceRow
{
    public int Id { get; init; }

    public Guid InstanceId { get; init; }

    public DateTime CreatedAt { get; init; }
}

/// <summary>A row of `audit_log`.</summary>
internal sealed class AuditRow
{
    public long Id { get; init; }

    public DateTime At { get; init; }

    public required string Actor { get; init; }

    public required string Action { get; init; }

    public string? Namespace { get; init; }

    public string? SessionName { get; init; }

    public Guid? SessionRowId { get; init; }

    public string? Team { get; init; }

    public string? ClaimedUser { get; init; }

    public string? ClientSessionPrefix { get; init; }

    public string? Reason { get; init; }

    public required string Detail { get; init; }

    public string? ClientAddress { get; init; }

    public string? UserAgent { get; init; }

    public Guid Replica { get; init; }
}
