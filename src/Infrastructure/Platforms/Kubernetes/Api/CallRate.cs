namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>
/// Keeps the gateway's requests below a rate, with room for a burst: a token bucket, kept as the time at which it would be full
/// again, so that nothing ticks while nobody calls.
/// </summary>
internal sealed class CallRate(int perSecond, int burst, TimeSpan longestWait, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly long interval = time.TimestampFrequency / perSecond;
    private long fullAt = time.GetTimestamp();

    /// <summary>Waits for a turn.</summary>
    /// <returns>False: the queue is too long, and no turn was taken.</returns>
    public async ValueTask<bool> TakeAsync(CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (gate)
        {
            var now = time.GetTimestamp();
            var from = Math.Max(fullAt, now);
            var ticks = from - now - (burst - 1) * interval;
            wait = TimeSpan.FromSeconds(Math.Max(0, ticks) / (double)time.TimestampFrequency);
            if (wait > longestWait) return false;
            fullAt = from + interval;
        }

        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellation);
        return true;
    }
}
