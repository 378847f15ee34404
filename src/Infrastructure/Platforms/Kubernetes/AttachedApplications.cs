using MediatR;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.AttachFound;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>
/// Applications that other people run and have opened to clients by a label become attached sessions, under the application's
/// name. They are never ended from here: they end when their driver does, or when another run takes their place.
/// </summary>
internal sealed partial class AttachedApplications : IDisposable
{
    private readonly ClusterView cluster;
    private readonly LiveDrivers live;
    private readonly KubernetesPlatform platform;
    private readonly IMediator mediator;
    private readonly GatewayOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<AttachedApplications> logger;
    private readonly ChangeFlag changes = new();
    private readonly HashSet<string> answered = [];

    public AttachedApplications(ClusterView cluster, LiveDrivers live, KubernetesPlatform platform, IMediator mediator, GatewayOptions options, TimeProvider time, ILogger<AttachedApplications> logger)
    {
        (this.cluster, this.live, this.platform, this.mediator, this.options, this.time, this.logger) = (cluster, live, platform, mediator, options, time, logger);
        cluster.Changed += OnChanged;
    }

    private TimeSpan ProbeEvery => TimeSpan.FromMilliseconds(options.Kubernetes.ProbeMilliseconds);

    private TimeSpan LookEvery => TimeSpan.FromSeconds(options.Kubernetes.AttachSeconds);

    /// <summary>After each change, after a while in any case, and often while a driver does not answer yet.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var isWaiting = cluster.IsSynced && await SyncAsync(cancellation);
            await changes.WaitAsync(isWaiting || !cluster.IsSynced ? ProbeEvery : LookEvery, time, cancellation);
        }
    }

    public void Dispose() => cluster.Changed -= OnChanged;

    private void OnChanged(string applicationUid)
    {
        // Most changes are of our own drivers.
        if (cluster.Application(applicationUid) is not { IsAttachable: false }) changes.Set();
    }

    /// <summary>True: a driver is there that does not answer yet.</summary>
    private async Task<bool> SyncAsync(CancellationToken cancellation)
    {
        var found = Found();
        answered.IntersectWith(found.Select(one => one.Driver.RuntimeId));
        foreach (var (_, driver) in found.Where(one => !answered.Contains(one.Driver.RuntimeId)))
        {
            using var probe = new ReadinessProbe(driver.Address, time);
            if (await probe.AnswersAsync(cancellation)) answered.Add(driver.RuntimeId);
        }

        var ready = found.Where(one => answered.Contains(one.Driver.RuntimeId)).ToList();
        var attach = await mediator.Send(new AttachFound.Request(KubernetesPlatform.PlatformName, [.. ready.Select(one => one.Driver)]), cancellation);
        if (attach.TryGet(out var sessions, out var error))
        {
            foreach (var session in sessions) await FollowAsync(session, cancellation);
        }
        else
        {
            LogNotAttached(error.Text);
        }

        return ready.Count < found.Count || !attach.IsOk;
    }

    private List<(DriverPod Pod, FoundDriver Driver)> Found()
    {
        var found = new List<(DriverPod, FoundDriver)>();
        foreach (var application in cluster.Applications)
        {
            if (!application.IsAttachable || application.SessionId is not null || application.IsDeleting) continue;
            if (cluster.PodOf(application.Uid)?.At(application) is not { Endpoint: { } endpoint } pod) continue;

            // A container that was started again in the same pod is a younger driver too.
            var since = (pod.CreatedAt ?? DateTimeOffset.UnixEpoch).AddMilliseconds(pod.Restarts);
            found.Add((pod, new FoundDriver(new SessionName(application.Key.Namespace, application.Key.Name), endpoint.Address, endpoint.RuntimeId, since)));
        }

        return found;
    }

    /// <summary>Whatever ends a session's driver is noticed from here on; one that is gone already is reported.</summary>
    private async Task FollowAsync(Session session, CancellationToken cancellation)
    {
        if (live.IsTracked(session.Id)) return;
        var located = await platform.LocateAsync(session, cancellation);
        if (located is { IsOk: true, Value: null })
            await live.ReportAsync(new DriverExit(session.Id, EndReason.Replaced, "its driver is not there any more", ""), cancellation);
    }

    [LoggerMessage(3068, LogLevel.Warning, "Applications that clients may attach to are known, but not yet in the store: {Reason}")]
    private partial void LogNotAttached(string reason);
}
