using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>A pod's address goes to the next pod, of whatever team, and the watch that would tell may be behind.</summary>
internal sealed class DriverCheck(PodFinder pods, LiveDrivers live, GatewayOptions options, TimeProvider time) : IDriverCheck
{
    public async Task<bool> StandsAsync(Session ready, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ready);
        if (ready.Platform != KubernetesPlatform.PlatformName) return true;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Kubernetes.DriverCheckSeconds), time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            var read = await pods.ReadAsync(ready, any.Token);
            if (read.Error is not null || PodFinder.Is(ready, read.Value)) return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return true;
        }

        live.Suspect(ready.Id);
        return false;
    }
}
