using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Ready with fresh knowledge of the cluster and all the rights that sessions need; what is lost later takes no replica out (ADR 0047).</summary>
internal sealed class KubernetesReadiness(ClusterView cluster, AccessCheck access, GatewayOptions options) : IReadinessCheck
{
    public string Name => KubernetesPlatform.PlatformName;

    public ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation) => ValueTask.FromResult(Check());

    private ReadinessResult Check()
    {
        if (!cluster.IsSynced) return ReadinessResult.NotReady(cluster.Trouble ?? "the applications and pods of the cluster are not listed yet");
        var rights = access.State;
        if (!rights.IsReviewed) return ReadinessResult.NotReady("the gateway's rights on the cluster are not reviewed yet");
        if (rights.Gaps is { Count: > 0 } gaps)
        {
            // All replicas have the same account. Sessions that run need no right of it, and a replica of a roll-out that never had all is held back.
            var text = string.Join(" ", gaps.Select(gap => gap.Text));
            return rights.HadAll ? ReadinessResult.Degraded(text) : ReadinessResult.NotReady(text);
        }

        // A cluster that does not answer stops no session that runs: calls go to the drivers all the same.
        if (cluster.SilentFor > TimeSpan.FromSeconds(options.Kubernetes.WatchSilenceSeconds))
            return ReadinessResult.Degraded($"the cluster was not heard of for {cluster.SilentFor.TotalSeconds:0} s; {cluster.Trouble}");
        return cluster.Trouble is { } trouble ? ReadinessResult.Degraded(trouble) : ReadinessResult.Ready();
    }
}
