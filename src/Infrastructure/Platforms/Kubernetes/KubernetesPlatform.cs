using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Drivers as pods of applications that a Spark operator runs. They outlive the replica that made them, and any replica finds and ends them.</summary>
internal sealed class KubernetesPlatform(
    PodFinder pods,
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
        var pod = pods.Watched(ready);
        if (pod is null)
        {
            // The watch may be behind what another replica has seen, so the API server has the last word.
            var read = await pods.ReadAsync(ready, cancellation);
            if (!read.TryGet(out pod, out var error)) return GatewayError.Unavailable(Blame.Cluster, error.Error.Text);
            if (!PodFinder.Is(ready, pod)) return (RunningDriver?)null;
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
}
