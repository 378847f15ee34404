using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>Where a driver answers, and which one it is.</summary>
/// <param name="RuntimeId">Pod uid and container id: a pod or container that follows has another.</param>
internal sealed record DriverEndpoint(string Ip, int Port, string RuntimeId)
{
    public string Address => Ip.Contains(':', StringComparison.Ordinal) ? $"[{Ip}]:{Port}" : $"{Ip}:{Port}";
}

/// <summary>How the driver's container ended.</summary>
internal sealed record ContainerEnd(int ExitCode, string Reason, string Message);

/// <summary>Why a container does not run yet.</summary>
internal sealed record ContainerWait(string Container, string Image, string Reason, string Message)
{
    /// <summary>Nothing is wrong: it is its turn soon.</summary>
    public bool IsUsual => Reason is "ContainerCreating" or "PodInitializing";
}

/// <summary>A driver's pod as the gateway needs it: small, so that a cache may hold thousands.</summary>
internal sealed partial record DriverPod
{
    public required ObjectKey Key { get; init; }

    public required string Uid { get; init; }

    /// <summary>The uid of the object that controls it: the application's.</summary>
    public required string? OwnerUid { get; init; }

    public required DateTimeOffset? CreatedAt { get; init; }

    public required bool IsDeleting { get; init; }

    /// <summary>Pending, Running, Succeeded, Failed or Unknown.</summary>
    public required string Phase { get; init; }

    /// <summary>Of the pod as a whole: Evicted, NodeLost...</summary>
    public required string Reason { get; init; }

    public required string Message { get; init; }

    public required string? Node { get; init; }

    /// <summary>The cluster took its readiness away while each of its containers was ready: it does so for a node that it hears nothing of.</summary>
    public required bool IsNodeSilent { get; init; }

    /// <summary>The scheduler's words; null: it has found a node, or has not looked.</summary>
    public required string? Unschedulable { get; init; }

    /// <summary>The driver container's image; empty: it has no such container.</summary>
    public required string Image { get; init; }

    /// <summary>Of the driver's container, or of another that keeps it from running; null: none waits.</summary>
    public required ContainerWait? Waiting { get; init; }

    /// <summary>Null while it runs or has not begun. A sidecar may go on running.</summary>
    public required ContainerEnd? Ended { get; init; }

    /// <summary>The end of the run before this one, where a container is started again.</summary>
    public required ContainerEnd? LastEnd { get; init; }

    public required int Restarts { get; init; }

    /// <summary>The container port called spark-connect; null: there is none.</summary>
    public required int? NamedPort { get; init; }

    public required string? Ip { get; init; }

    public required string? ContainerId { get; init; }

    /// <summary>Where calls may go; null: nowhere, and <see cref="NoRoute"/> says why.</summary>
    public required DriverEndpoint? Endpoint { get; init; }

    /// <summary>Empty if there is an <see cref="Endpoint"/>.</summary>
    public required string NoRoute { get; init; }
}
