using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Drivers as pods of applications that a Spark operator runs. They outlive the replica that made them, and any replica finds and ends them.</summary>
internal sealed class KubernetesPlatform(
    IKubeApi api,
    ClusterView cluster,
    DriverLauncher launcher,
    DriverStopper stopper,
    LiveDrivers live) : IDriverPlatform
{
    /// <summary>Also in the column platform.</summary>
    public const string PlatformName = "kubernetes";

    public string Name => PlatformName;

    public ChannelReader<DriverExit> Exits => live.Exits;

    public async Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var launch = await launcher.LaunchAsync(spec, cancellation);
        if (!launch.TryGet(out var started, out var error)) return error;
        live.Track(new LiveDriver(spec.SessionId, SessionKind.OnDemand, spec.Name, started.ApplicationUid, started.Pod));
        return new RunningDriver(started.Endpoint.Address, started.Endpoint.RuntimeId);
    }

    public async Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ready);
        var uid = (ready.RuntimeId ?? "").Split('/')[0];
        if (!cluster.TryGetPod(uid, out var pod) || pod.Endpoint?.RuntimeId != ready.RuntimeId)
        {
            // The watch may be behind what another replica has seen, so the API server has the last word.
            var read = await ReadAsync(ready, uid, pod, cancellation);
            if (!read.TryGet(out pod, out var error)) return GatewayError.Unavailable(Blame.Cluster, error.Error.Text);
            if (pod?.Endpoint?.RuntimeId != ready.RuntimeId) return (RunningDriver?)null;
        }

        if (pod!.OwnerUid is { } owner) live.Track(new LiveDriver(ready.Id, ready.Kind, ready.Name, owner, pod));

        // The address of the store: of an attached driver the application says the port, which its pod need not.
        return new RunningDriver(ready.Address!, ready.RuntimeId!);
    }

    public Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(driver);
        live.Forget(driver.SessionId);
        return stopper.StopAsync(driver, cancellation);
    }

    /// <summary>The value is null: there is no such pod.</summary>
    private async Task<KubeResult<DriverPod?>> ReadAsync(Session ready, string uid, DriverPod? known, CancellationToken cancellation)
    {
        if (known is not null)
        {
            var read = await api.GetAsync(ResourceKind.Pods, known.Key, cancellation);
            if (read.Error is { } unread) return unread;
            return read.Value is { } pod && pod.Uid == uid ? cluster.Parse(pod) : (DriverPod?)null;
        }

        var list = await api.ListAsync(ResourceKind.Pods, ready.Name.Namespace, ClusterView.DriverPods, fields: null, cancellation);
        if (!list.TryGet(out var pods, out var error)) return error;
        return pods.FirstOrDefault(pod => pod.Uid == uid) is { } found ? cluster.Parse(found) : (DriverPod?)null;
    }
}
