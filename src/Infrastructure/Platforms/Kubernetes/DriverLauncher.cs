using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>A driver that answers.</summary>
internal sealed record StartedDriver(string ApplicationUid, DriverPod Pod, DriverEndpoint Endpoint);

/// <summary>
/// Makes the application of a session, or joins the one that is there, and waits until its driver answers or cannot come up. What is
/// left of a start that failed is its caller's to stop: another replica may have taken the start over, with the same application.
/// </summary>
internal sealed partial class DriverLauncher(
    IKubeApi api,
    ClusterView cluster,
    ProfileCatalog profiles,
    ApplicationMaker maker,
    StartEvidence evidence,
    GatewayOptions options,
    TimeProvider time,
    ILogger<DriverLauncher> logger)
{
    /// <summary>Graces run out without a change.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <summary>For events and log of a start whose time is over: its client has waited long enough.</summary>
    private static readonly TimeSpan EvidenceLimit = TimeSpan.FromSeconds(5);

    private TimeSpan ProbeEvery => TimeSpan.FromMilliseconds(options.Kubernetes.ProbeMilliseconds);

    private StartGraces Graces => new(
        TimeSpan.FromSeconds(options.Kubernetes.UnschedulableGraceSeconds),
        TimeSpan.FromSeconds(options.Kubernetes.ImageGraceSeconds),
        TimeSpan.FromSeconds(options.Kubernetes.ConfigurationGraceSeconds));

    public async Task<Result<StartedDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        if (WhyNotAllowed(spec.Name) is { } refused) return refused;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.SparkConnect.StartLimitSeconds), time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        var start = new DriverStart(spec, new StartJudge(Graces, time), time);
        try
        {
            var made = await maker.MakeAsync(spec, profiles.For(spec.Team, spec.Environment), why => Phase(start, why), any.Token);
            if (!made.TryGet(out var application, out var unmade)) return unmade;
            Phase(start, "application made");
            return await WaitAsync(start, application, any.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return await TimedOutAsync(start, cancellation);
        }
    }

    private GatewayError? WhyNotAllowed(SessionName name) => options.Kubernetes.Namespaces.Count == 0 || options.Kubernetes.Namespaces.Contains(name.Namespace)
        ? null
        : new GatewayError(ErrorCode.PermissionDenied, Blame.Client,
            $"This gateway makes no drivers in namespace {name.Namespace}: it is not in kubernetes.namespaces. Check team and environment, or ask the operator of the gateway to add it.");

    private async Task<Result<StartedDriver>> WaitAsync(DriverStart start, FoundApplication made, CancellationToken cancellation)
    {
        var uid = made.View.Uid;
        using var changes = cluster.Follow(uid);
        using var probe = new DriverProbe(time);
        while (true)
        {
            var (application, pod) = (cluster.Application(uid), cluster.PodOf(uid));
            start.Saw(application, pod);
            if (pod?.Endpoint is { } endpoint && await probe.AnswersAsync(endpoint.Address, cancellation) && cluster.PodOf(uid)?.Endpoint == endpoint)
            {
                Phase(start, "ready");
                return new StartedDriver(uid, pod, endpoint);
            }

            // Young applications are not in the watch yet; old ones that left it are gone if the API server says so too.
            var isGone = application is null && start.HadApplication && await api.GetAsync(made.Flavour.Kind, made.View.Key, cancellation) is { IsOk: true, Value: null };
            var facts = new StartFacts(start.Spec.Name, isGone ? null : application ?? made.View, pod, start.HadPod, [], "");
            start.Facts = facts;
            var verdict = start.Judge.Judge(facts);
            Phase(start, verdict.Progress);
            if (verdict.Failure is { } failure) return start.Judge.Judge(await WithEvidenceAsync(facts, made.View, cancellation)).Failure ?? failure;
            await changes.WaitAsync(pod?.Endpoint is null ? start.Judge.NextIn(facts) ?? LookEvery : ProbeEvery, time, cancellation);
        }
    }

    private async Task<GatewayError> TimedOutAsync(DriverStart start, CancellationToken cancellation)
    {
        var seconds = options.SparkConnect.StartLimitSeconds;
        if (start.Facts is not { } facts) return StartTimeout.WithoutApplication(start.Spec.Name, seconds, start.Progress);
        var blind = cluster.TroubleIn(start.Spec.Name.Namespace) ?? (start.HadApplication ? null : "its watch has not told of the application");
        using var limit = new CancellationTokenSource(EvidenceLimit, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            if (facts.Application is { } application) facts = await WithEvidenceAsync(facts, application, any.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Told without it.
        }

        return StartTimeout.Explain(facts, seconds, blind);
    }

    /// <summary>Only at the end the events and the log are read: words for the user are in them.</summary>
    private async Task<StartFacts> WithEvidenceAsync(StartFacts facts, ApplicationView application, CancellationToken cancellation)
    {
        var events = await evidence.EventsAsync(facts.Pod?.Uid ?? application.Uid, application.Key.Namespace, cancellation);
        var tail = facts.Pod is { } pod ? await evidence.LogTailAsync(pod, cancellation) : "";
        return facts with { Events = events, LogTail = tail };
    }

    private void Phase(DriverStart start, string phase)
    {
        if (start.Progress == phase) return;
        start.Progress = phase;
        LogPhase(start.Spec.Name, phase, start.Elapsed.TotalSeconds);
    }

    [LoggerMessage(3064, LogLevel.Information, "Driver of session {Session}: {Phase} after {Seconds:F1} s")]
    private partial void LogPhase(SessionName session, string phase, double seconds);
}

/// <summary>What one start has seen so far.</summary>
internal sealed class DriverStart(DriverSpec spec, StartJudge judge, TimeProvider time)
{
    private readonly long began = time.GetTimestamp();

    public DriverSpec Spec { get; } = spec;

    public StartJudge Judge { get; } = judge;

    public string Progress { get; set; } = "nothing yet";

    /// <summary>As of the last look; null: there is no application yet.</summary>
    public StartFacts? Facts { get; set; }

    public bool HadApplication { get; private set; }

    public bool HadPod { get; private set; }

    public TimeSpan Elapsed => time.GetElapsedTime(began);

    public void Saw(ApplicationView? application, DriverPod? pod)
    {
        HadApplication |= application is not null;
        HadPod |= pod is not null;
    }
}
