using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>An application together with the kind that it is one of.</summary>
internal sealed record FoundApplication(IFlavour Flavour, ApplicationView View);

/// <summary>Asks the API server itself for the application of a session: by name, and only if it bears this gateway's and that session's mark.</summary>
internal sealed class ApplicationFinder(IKubeApi api, ClusterView cluster, OwnInstance instance)
{
    /// <summary>The value is null: there is none.</summary>
    public async Task<KubeResult<FoundApplication?>> FindAsync(ObjectKey key, Guid sessionId, CancellationToken cancellation)
    {
        foreach (var flavour in cluster.Flavours)
        {
            var read = await api.GetAsync(flavour.Kind, key, cancellation);
            if (read.Error is { } error) return error;
            if (read.Value is not { } found) continue;
            var view = flavour.Parse(found);
            if (IsOf(view, sessionId)) return new FoundApplication(flavour, view);
        }

        return (FoundApplication?)null;
    }

    public bool IsOf(ApplicationView view, Guid sessionId) => view.SessionId == sessionId && view.Instance is { } owner && owner == instance.Known;
}
