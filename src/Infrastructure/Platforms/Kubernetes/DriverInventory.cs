using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>The applications that bear this gateway's mark. Those of other gateways, and of people, are not looked at.</summary>
internal sealed class DriverInventory(IKubeApi api, ClusterView cluster, ApplicationFinder finder, OwnInstance instance, GatewayOptions options) : IDriverInventory
{
    public Result<IReadOnlyList<InventoryEntry>> List()
    {
        var silence = TimeSpan.FromSeconds(options.Kubernetes.WatchSilenceSeconds);
        if (!cluster.IsSynced || cluster.SilentFor > silence || instance.Known is not { } self)
            return GatewayError.Unavailable(Blame.Cluster, cluster.Trouble ?? "The gateway does not know the cluster's applications yet.");
        return Result<IReadOnlyList<InventoryEntry>>.Ok([.. cluster.Applications.Where(view => view.Instance == self && view.SessionId is not null).Select(Entry)]);
    }

    public async Task<Result<bool>> ExistsAsync(Session session, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(session);
        var found = await finder.FindAsync(new ObjectKey(session.Name.Namespace, session.Name.Name), session.Id, cancellation);
        return found.Error is { } error ? error.Error : found.Value is { } application && IsRunning(application.View);
    }

    public async Task<Result<bool>> RemoveAsync(InventoryEntry entry, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (cluster.Application(entry.Id) is not { } view) return false;
        var deletion = await api.DeleteAsync(cluster.FlavourOf(view).Kind, view.Key, view.Uid, cancellation);
        return deletion.Error is { } error ? error.Error : deletion.Value;
    }

    private static InventoryEntry Entry(ApplicationView view) =>
        new(view.SessionId!.Value, new SessionName(view.Key.Namespace, view.Key.Name), view.Uid, IsRunning(view));

    private static bool IsRunning(ApplicationView view) => !view.IsDeleting && view.Phase is not (ApplicationPhase.Done or ApplicationPhase.Failed or ApplicationPhase.Stopped);
}
