using System.Diagnostics.CodeAnalysis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>
/// The applications and driver pods of the allowed namespaces as the watches know them, joined by the owner's uid: names come
/// back with other drivers behind them, uids never do.
/// </summary>
internal sealed class ClusterView
{
    internal const string DriverPods = "spark-role in (driver,connect-server)";

    private readonly Lock gate = new();
    private readonly Dictionary<string, ApplicationView> applications = [];
    private readonly Dictionary<string, Dictionary<string, DriverPod>> podsByOwner = [];
    private readonly Dictionary<string, DriverPod> podsByUid = [];
    private readonly Dictionary<string, List<ChangeSignal>> waiters = [];
    private readonly List<IKubeWatch<ApplicationView>> applicationWatches;
    private readonly IKubeWatch<DriverPod> podWatch;

    public ClusterView(IKubeApi api, IReadOnlyList<IFlavour> flavours)
    {
        Flavours = flavours;
        applicationWatches = [.. flavours.Select(flavour => api.Watch(flavour.Kind, labels: null, flavour.Parse))];
        podWatch = api.Watch(ResourceKind.Pods, DriverPods, pod => Parse(pod));
        foreach (var watch in applicationWatches) watch.Changed += OnApplication;
        podWatch.Changed += OnPod;
    }

    /// <summary>After the view knows of it: the uid of the application that changed, or whose pod did.</summary>
    public event Action<string>? Changed;

    /// <summary>The flavours whose applications are watched.</summary>
    public IReadOnlyList<IFlavour> Flavours { get; }

    public bool IsSynced => podWatch.IsSynced && applicationWatches.TrueForAll(watch => watch.IsSynced);

    public TimeSpan SilentFor => applicationWatches.Select(watch => watch.SilentFor).Append(podWatch.SilentFor).Max();

    /// <summary>Why the view may be old, for operators; null: it is not.</summary>
    public string? Trouble => applicationWatches.Select(watch => watch.Trouble).Append(podWatch.Trouble).FirstOrDefault(trouble => trouble is not null);

    /// <summary>Why the view of one namespace may be old; null: it is not.</summary>
    public string? TroubleIn(string inNamespace) =>
        applicationWatches.Select(watch => watch.TroubleIn(inNamespace)).Append(podWatch.TroubleIn(inNamespace)).FirstOrDefault(trouble => trouble is not null);

    public IReadOnlyList<ApplicationView> Applications
    {
        get
        {
            lock (gate) return [.. applications.Values];
        }
    }

    public IFlavour FlavourOf(ApplicationView application) => Flavours.Single(flavour => flavour.Name == application.Flavour);

    public ApplicationView? Application(string uid)
    {
        lock (gate) return applications.GetValueOrDefault(uid);
    }

    /// <summary>The driver of that application: the pod where calls may go, else the youngest.</summary>
    public DriverPod? PodOf(string applicationUid)
    {
        lock (gate)
        {
            return podsByOwner.TryGetValue(applicationUid, out var pods)
                ? pods.Values.OrderByDescending(pod => pod.Endpoint is not null).ThenByDescending(pod => pod.CreatedAt).First()
                : null;
        }
    }

    public bool TryGetPod(string uid, [MaybeNullWhen(false)] out DriverPod pod)
    {
        lock (gate) return podsByUid.TryGetValue(uid, out pod);
    }

    /// <summary>Signals each change of that application and of its pods until it is disposed.</summary>
    public ChangeSignal Follow(string applicationUid)
    {
        var signal = new ChangeSignal(this, applicationUid);
        lock (gate)
        {
            if (!waiters.TryGetValue(applicationUid, out var list)) waiters[applicationUid] = list = [];
            list.Add(signal);
        }

        return signal;
    }

    public Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll(applicationWatches.Select(watch => watch.RunAsync(cancellation)).Append(podWatch.RunAsync(cancellation)));

    /// <summary>A pod read by a call, as the watch would have kept it.</summary>
    public DriverPod Parse(KubeObject pod) =>
        DriverPod.Parse(pod, (Flavours.FirstOrDefault(flavour => pod.OwnerUid(flavour.Kind) is not null) ?? Flavours[0]).DriverContainer);

    internal void Forget(ChangeSignal signal)
    {
        lock (gate)
        {
            if (waiters.TryGetValue(signal.ApplicationUid, out var list) && list.Remove(signal) && list.Count == 0) waiters.Remove(signal.ApplicationUid);
        }
    }

    private void OnApplication(KubeChange<ApplicationView> change)
    {
        lock (gate)
        {
            if (change.Kind == KubeChangeKind.Deleted) applications.Remove(change.Item.Uid);
            else applications[change.Item.Uid] = change.Item.Value;
        }

        Tell(change.Item.Uid);
    }

    private void OnPod(KubeChange<DriverPod> change)
    {
        var pod = change.Item.Value;
        if (pod.OwnerUid is not { } owner) return;
        lock (gate)
        {
            if (change.Kind == KubeChangeKind.Deleted)
            {
                podsByUid.Remove(pod.Uid);
                if (podsByOwner.TryGetValue(owner, out var left) && left.Remove(pod.Uid) && left.Count == 0) podsByOwner.Remove(owner);
            }
            else
            {
                podsByUid[pod.Uid] = pod;
                if (!podsByOwner.TryGetValue(owner, out var pods)) podsByOwner[owner] = pods = [];
                pods[pod.Uid] = pod;
            }
        }

        Tell(owner);
    }

    private void Tell(string applicationUid)
    {
        ChangeSignal[] told;
        lock (gate) told = waiters.TryGetValue(applicationUid, out var list) ? [.. list] : [];
        foreach (var signal in told) signal.Flag.Set();
        Changed?.Invoke(applicationUid);
    }
}

/// <summary>The changes of one application and its pods.</summary>
internal sealed class ChangeSignal(ClusterView view, string applicationUid) : IDisposable
{
    public string ApplicationUid { get; } = applicationUid;

    public ChangeFlag Flag { get; } = new();

    public Task WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellation) => Flag.WaitAsync(limit, time, cancellation);

    public void Dispose() => view.Forget(this);
}

/// <summary>Remembers that there was a change until it is waited for.</summary>
internal sealed class ChangeFlag
{
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() => Volatile.Read(ref next).TrySetResult();

    /// <summary>Until a change since the last wait, or for so long.</summary>
    public async Task WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await Volatile.Read(ref next).Task.WaitAsync(limit, time, cancellation);

            // Before the caller looks: a change from now on counts for the next wait.
            Volatile.Write(ref next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        catch (TimeoutException)
        {
            // The caller looks again for other reasons than a change.
        }
    }
}
