namespace SparkGateway.Infrastructure.Hosting;

/// <param name="Reason">Why it is not ready, or what "ready" rests on; shown to operators.</param>
public readonly record struct ReadinessResult(bool IsReady, string Reason)
{
    /// <summary>It works in part, and the replica still serves.</summary>
    public bool IsDegraded { get; init; }

    public static ReadinessResult Ready(string reason = "ok") => new(true, reason);

    public static ReadinessResult NotReady(string reason) => new(false, reason);

    public static ReadinessResult Degraded(string reason) => new(true, reason) { IsDegraded = true };
}

/// <summary>A component that /readyz lists. Asked often, by several callers at once; must not change anything.</summary>
public interface IReadinessCheck
{
    string Name { get; }

    /// <summary>All replicas share it: a fault of it would take all of them out at once, so it is told and takes none out.</summary>
    bool IsShared => false;

    ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation);
}
