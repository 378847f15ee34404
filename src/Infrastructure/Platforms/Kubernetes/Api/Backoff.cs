namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>Ever longer waits after failures that follow each other, each a random part of its length, so that replicas do not come back together.</summary>
internal sealed class Backoff(KubeLimits limits, TimeProvider time)
{
    /// <summary>Beyond it a doubling would overflow long after every limit.</summary>
    private const int MaxDoublings = 20;

    private int failures;
    private long lastWaitEnded;

    /// <summary>The wait after a failure, at least <paramref name="asked"/>.</summary>
    public TimeSpan Next(TimeSpan? asked = null)
    {
        if (failures > 0 && time.GetElapsedTime(lastWaitEnded) > limits.BackoffReset) failures = 0;
        var full = limits.BackoffFirst * (1 << Math.Min(failures++, MaxDoublings));
        if (full > limits.BackoffMost) full = limits.BackoffMost;
        var wait = full * Random.Shared.NextDouble();
        if (asked > wait) wait = asked.Value;
        lastWaitEnded = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        return wait;
    }
}
