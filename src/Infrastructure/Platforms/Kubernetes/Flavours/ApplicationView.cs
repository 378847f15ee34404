using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>What an operator says of an application, in words that all flavours share. The pod decides whether a driver lives.</summary>
internal enum ApplicationPhase
{
    /// <summary>No operator has looked at it.</summary>
    Pending,

    Starting,
    Running,
    Ending,

    /// <summary>Ended without a failure.</summary>
    Done,

    Failed,

    /// <summary>Suspended: it has no pod until somebody resumes it.</summary>
    Stopped,

    /// <summary>A new pod follows, with a new uid.</summary>
    Restarting,
}

/// <summary>An application as the gateway needs it.</summary>
internal sealed record ApplicationView
{
    public required string Flavour { get; init; }

    public required ObjectKey Key { get; init; }

    public required string Uid { get; init; }

    public required ApplicationPhase Phase { get; init; }

    /// <summary>The operator's own word for it; empty before it has looked.</summary>
    public required string State { get; init; }

    /// <summary>The operator's message, whole and unchecked: Diagnosis makes it fit to show.</summary>
    public required string Message { get; init; }

    /// <summary>Null: the operator has not named it. Names come back with other pods: compare uids too.</summary>
    public required string? PodName { get; init; }

    /// <summary>This run of the application; null: not known. On the pod as sparkoperator.k8s.io/submission-id.</summary>
    public string? Submission { get; init; }

    public required DateTimeOffset? CreatedAt { get; init; }

    public required bool IsDeleting { get; init; }

    /// <summary>Whose it is; null: no gateway's.</summary>
    public required string? Instance { get; init; }

    public required Guid? SessionId { get; init; }

    public required string? Team { get; init; }

    public required string? Environment { get; init; }

    public required string? User { get; init; }

    public required string? Profile { get; init; }

    public required string? RequestHash { get; init; }

    /// <summary>Its owner lets clients attach.</summary>
    public required bool IsAttachable { get; init; }

    /// <summary>Where its configuration puts the Spark Connect server; null: it says nothing.</summary>
    public required int? ConfiguredPort { get; init; }
}
