namespace SparkGateway.Infrastructure.Hosting;

/// <param name="Reason">Why it is not ready, or what "ready" rests on; shown to operators.</param>
public readonly record struct ReadinessResult(bool IsReady, string Reason)
{
    public static ReadinessResult Ready(string reason = "ok") => new(true, reason);

    public static ReadinessResult NotReady(string reason) => new(false, reason);
}

/// <summary>A component that /readyz lists. Asked often, by several callers at once; must not change anything.</summary>
public interface IReadinessCheck
{
    string Name { get; }

    ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation);
}
