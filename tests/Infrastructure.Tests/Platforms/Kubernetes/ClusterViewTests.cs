using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>Which pod belongs to which application, and that no change is missed.</summary>
public sealed class ClusterViewTests : IDisposable
{
    private static readonly KubeObject Pod = Sample.Of("running").PodObject;
    private static readonly KubeObject Application = Sample.Of("running").ApplicationObject;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly FakeKubeApi api = new();
    private readonly WatchedTime time = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
    private readonly ClusterView view;

    public ClusterViewTests() => view = new ClusterView(api, AllFlavours.List);

    private FakeWatch<ApplicationView> Applications => api.WatchOf<ApplicationView>(new SparkApplicationFlavour().Kind);

    private FakeWatch<DriverPod> Pods => api.WatchOf<DriverPod>(ResourceKind.Pods);

    public void Dispose() => deadline.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ApplicationAndPod_WhicheverComesFirst_AreJoined(bool isPodFirst)
    {
        if (isPodFirst) Pods.Put(Pod);
        Applications.Put(Application);
        if (!isPodFirst) Pods.Put(Pod);

        Assert.Equal(Pod.Uid, view.PodOf(Application.Uid)?.Uid);
        Assert.Equal(Application.Uid, Assert.Single(view.Applications).Uid);
        Assert.True(view.TryGetPod(Pod.Uid, out var pod) && pod.OwnerUid == Application.Uid);
    }

    [Fact]
    public void Rerun_OfTheSameName_HasOnlyItsOwnPod()
    {
        Applications.Put(Application);
        Pods.Put(Pod);

        Applications.Put(Sample.Change(Application, app => app["metadata"]!["uid"] = "second"));

        Assert.Equal("second", Assert.Single(view.Applications).Uid);
        Assert.Null(view.Application(Application.Uid));
        Assert.Null(view.PodOf("second"));
        Assert.Equal(Pod.Uid, view.PodOf(Application.Uid)?.Uid);

        // The pod has its name from the application's, so the next one has it too.
        Pods.Put(PodOf("second", "second-pod"));

        Assert.Equal("second-pod", view.PodOf("second")?.Uid);
        Assert.Null(view.PodOf(Application.Uid));
        Assert.False(view.TryGetPod(Pod.Uid, out _));
    }

    [Fact]
    public void SeveralPodsOfOneApplication_TheOneWhereCallsMayGoElseTheYoungest()
    {
        Pods.Put(Named(Pod, "serving"));
        Pods.Put(Named(Sample.Change(Pod, Ending("2026-11-28T03:00:00Z")), "younger"));
        Pods.Put(Named(Sample.Change(Pod, Ending("2026-11-28T02:00:00Z")), "older"));

        Assert.Equal("serving", view.PodOf(Application.Uid)?.Uid);
        Pods.Remove(Named(Pod, "serving"));
        Assert.Equal("younger", view.PodOf(Application.Uid)?.Uid);
        Pods.Remove(Named(Pod, "younger"));
        Assert.Equal("older", view.PodOf(Application.Uid)?.Uid);
        Pods.Remove(Named(Pod, "older"));
        Assert.Null(view.PodOf(Application.Uid));
        Assert.False(view.TryGetPod("older", out _));
    }

    [Fact]
    public void PodWithoutAnOwner_IsNobodysDriver()
    {
        var changed = new List<string>();
        view.Changed += changed.Add;
        var stray = Sample.Change(Pod, pod => pod["metadata"]!.AsObject().Remove("ownerReferences"));

        Pods.Put(stray);
        Pods.Remove(stray);

        Assert.False(view.TryGetPod(stray.Uid, out _));
        Assert.Empty(changed);
    }

    [Fact]
    public void EachChange_IsToldByTheApplicationsUidOnceTheViewKnowsOfIt()
    {
        var changed = new List<(string Uid, bool HasApplication, string? Phase)>();
        view.Changed += uid => changed.Add((uid, view.Application(uid) is not null, view.PodOf(uid)?.Phase));

        Applications.Put(Application);
        Pods.Put(Pod);
        Pods.Put(Sample.Change(Pod, pod => pod["status"]!["phase"] = "Failed"));
        Pods.Remove(Pod);
        Applications.Remove(Application);

        Assert.Equal([(Application.Uid, true, null), (Application.Uid, true, "Running"), (Application.Uid, true, "Failed"), (Application.Uid, true, null), (Application.Uid, false, null)], changed);
    }

    [Fact]
    public async Task Follow_ChangesOfItsApplicationAndPods_NotOfOthers()
    {
        using var signal = view.Follow(Application.Uid);
        Pods.Put(PodOf("another", "another-pod"));
        Applications.Put(Sample.Change(Application, app => (app["metadata"]!["uid"], app["metadata"]!["name"]) = ("another", "another")));
        Assert.False(await IsSetAsync(signal));

        Applications.Put(Application);
        Assert.True(await IsSetAsync(signal));
        Assert.False(await IsSetAsync(signal));
        Pods.Put(Sample.Change(Pod, pod => pod["metadata"]!["name"] = "its-own"));
        Assert.True(await IsSetAsync(signal));
    }

    [Fact]
    public async Task Follow_Twice_EachIsToldUntilItIsDisposed()
    {
        var first = view.Follow(Application.Uid);
        using var second = view.Follow(Application.Uid);

        Applications.Put(Application);
        Assert.True(await IsSetAsync(first) && await IsSetAsync(second));
        first.Dispose();
        Pods.Put(Pod);

        Assert.False(await IsSetAsync(first));
        Assert.True(await IsSetAsync(second));
    }

    [Fact]
    public async Task Flag_SetBeforeTheWait_IsNotLost_AndTwiceIsOnce()
    {
        var flag = new ChangeFlag();
        flag.Set();
        flag.Set();

        await flag.WaitAsync(Limit, time, deadline.Token);

        var next = flag.WaitAsync(Limit, time, deadline.Token);
        await time.TimerAsync(Limit, deadline.Token);
        Assert.False(next.IsCompleted);
        flag.Set();
        await next.WaitAsync(deadline.Token);
    }

    [Fact]
    public async Task Flag_NeverSet_EndsAtTheLimitAndStillCounts()
    {
        var flag = new ChangeFlag();
        var wait = flag.WaitAsync(Limit, time, deadline.Token);
        await time.TimerAsync(Limit, deadline.Token);

        time.Advance(Limit);

        await wait.WaitAsync(deadline.Token);
        flag.Set();
        await flag.WaitAsync(Limit, time, deadline.Token).WaitAsync(deadline.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flag.WaitAsync(Limit, time, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task Flag_SetWhileItsReaderIsAtWork_TheLastChangeIsSeen()
    {
        const int changes = 200_000;
        var flag = new ChangeFlag();
        var done = 0;
        var writer = Task.Run(
            () =>
            {
                for (var i = 1; i <= changes; i++)
                {
                    Volatile.Write(ref done, i);
                    flag.Set();
                }
            },
            deadline.Token);

        // Time stands still: a change that is missed would be waited for in vain.
        while (Volatile.Read(ref done) < changes) await flag.WaitAsync(Limit, time, deadline.Token);

        await writer;
    }

    [Fact]
    public void State_OfSeveralWatches_IsThatOfTheWorst()
    {
        var servers = api.WatchOf<ApplicationView>(new SparkConnectFlavour().Kind);
        Assert.Equal((true, TimeSpan.Zero, null), (view.IsSynced, view.SilentFor, view.Trouble));

        servers.IsSynced = false;
        (Applications.SilentFor, servers.SilentFor, Pods.SilentFor) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(2));
        Pods.Trouble = "pods";

        Assert.Equal((false, TimeSpan.FromSeconds(3), "pods"), (view.IsSynced, view.SilentFor, view.Trouble));
        (servers.IsSynced, Pods.IsSynced, Pods.SilentFor, servers.Trouble) = (true, false, TimeSpan.FromSeconds(4), "servers");
        Assert.Equal((false, TimeSpan.FromSeconds(4), "servers"), (view.IsSynced, view.SilentFor, view.Trouble));
    }

    [Fact]
    public void FlavourOf_Application_IsThatOfItsKind()
    {
        Applications.Put(Application);
        api.WatchOf<ApplicationView>(new SparkConnectFlavour().Kind).Put(Sample.Of("connect-running").ApplicationObject);

        Assert.Equal(["spark-application", "spark-connect"], view.Applications.Select(application => view.FlavourOf(application).Name).Order());
    }

    private static KubeObject PodOf(string owner, string uid) => Sample.Change(Pod, pod =>
    {
        pod["metadata"]!["uid"] = uid;
        pod["metadata"]!["ownerReferences"]![0]!["uid"] = owner;
    });

    private static KubeObject Named(KubeObject pod, string name) => Sample.Change(pod, body => (body["metadata"]!["uid"], body["metadata"]!["name"]) = (name, name));

    private static Action<JsonNode> Ending(string createdAt) => pod =>
    {
        pod["metadata"]!["creationTimestamp"] = createdAt;
        pod["metadata"]!["deletionTimestamp"] = "2026-11-28T04:00:00Z";
    };

    /// <summary>Waits on it; time stands still, so it is set or it goes on waiting.</summary>
    private async Task<bool> IsSetAsync(ChangeSignal signal)
    {
        var wait = signal.WaitAsync(Limit, time, deadline.Token);
        if (wait.IsCompletedSuccessfully) return true;
        await time.TimerAsync(Limit, deadline.Token);
        time.Advance(Limit);
        await wait.WaitAsync(deadline.Token);
        return false;
    }
}
