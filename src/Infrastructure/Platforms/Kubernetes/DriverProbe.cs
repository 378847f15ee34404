namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>The readiness probe of one start: the driver's address is known late, and may change.</summary>
internal sealed class DriverProbe(TimeProvider time) : IDisposable
{
    private ReadinessProbe? probe;
    private string? address;

    public Task<bool> AnswersAsync(string at, CancellationToken cancellation)
    {
        if (probe is null || address != at)
        {
            probe?.Dispose();
            (probe, address) = (new ReadinessProbe(at, time), at);
        }

        return probe.AnswersAsync(cancellation);
    }

    public void Dispose() => probe?.Dispose();
}
