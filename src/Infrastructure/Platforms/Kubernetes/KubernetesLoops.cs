using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>The watches, and what follows from them. Started before the first client comes; the gateway is ready once all is listed.</summary>
internal sealed partial class KubernetesLoops(
    ClusterView cluster,
    LiveDrivers live,
    AttachedApplications attached,
    AccessCheck access,
    OwnInstance instance,
    TimeProvider time,
    ILogger<KubernetesLoops> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>A loop that fails is a bug, and stops the host: the others must not hide it.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task[] loops =
        [
            QuietlyAsync(cluster.RunAsync, stoppingToken),
            QuietlyAsync(live.RunAsync, stoppingToken),
            QuietlyAsync(attached.RunAsync, stoppingToken),
            QuietlyAsync(ReviewAsync, stoppingToken),
        ];
        await await Task.WhenAny(loops);
        await Task.WhenAll(loops);
    }

    private async Task ReviewAsync(CancellationToken stopping)
    {
        await LearnInstanceAsync(stopping);
        await access.RunAsync(stopping);
    }

    /// <summary>Nothing on the cluster is recognised as our own before.</summary>
    private async Task LearnInstanceAsync(CancellationToken stopping)
    {
        while ((await instance.ReadAsync(stopping)).Error is { } error)
        {
            LogUnknown(error.Text);
            await Task.Delay(Pause, time, stopping);
        }
    }

    private static async Task QuietlyAsync(Func<CancellationToken, Task> loop, CancellationToken stopping)
    {
        try
        {
            await loop(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end of every loop.
        }
    }

    [LoggerMessage(3067, LogLevel.Warning, "The gateway cannot read its instance id yet: {Reason}")]
    private partial void LogUnknown(string reason);
}
