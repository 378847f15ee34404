using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Asks the API server itself for the pod of a session that is ready: by its uid, never by its name alone.</summary>
internal sealed class PodFinder(IKubeApi api, ClusterView cluster)
{
    /// <summary>As the watch knows it; null: it does not, or not with the container that the session is in.</summary>
    public DriverPod? Watched(Session ready) => cluster.TryGetPod(UidOf(ready), out var pod) && Is(ready, pod) ? pod : null;

    public static bool Is(Session ready, DriverPod? pod) => pod?.Endpoint is { } endpoint && endpoint.RuntimeId == ready.RuntimeId;

    /// <summary>The value is null: there is no such pod.</summary>
    public async Task<KubeResult<DriverPod?>> ReadAsync(Session ready, CancellationToken cancellation)
    {
        var uid = UidOf(ready);
        if (cluster.TryGetPod(uid, out var known))
        {
            var read = await api.GetAsync(ResourceKind.Pods, known.Key, cancellation);
            if (read.Error is { } unread) return unread;
            return read.Value is { } pod && pod.Uid == uid ? cluster.Parse(pod) : (DriverPod?)null;
        }

        var list = await api.ListAsync(ResourceKind.Pods, ready.Name.Namespace, ClusterView.DriverPods, fields: null, cancellation);
        if (!list.TryGet(out var pods, out var error)) return error;
        return pods.FirstOrDefault(pod => pod.Uid == uid) is { } found ? cluster.Parse(found) : (DriverPod?)null;
    }

    /// <summary>The runtime id is pod uid and container id.</summary>
    private static string UidOf(Session ready) => (ready.RuntimeId ?? "").Split('/')[0];
}
