using System.Text.Json.Nodes;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>What is deleted at the end of a session, and when its driver counts as gone.</summary>
public sealed class DriverStopperTests : IDisposable
{
    private const int LimitSeconds = 30;

    private static readonly ResourceKind Kind = new SparkApplicationFlavour().Kind;
    private static readonly KubeObject Pod = Sample.Of("running").PodObject;
    private static readonly KubeObject Application = Sample.Of("running").ApplicationObject;
    private static readonly ApplicationView View = Sample.Of("running").Application;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly FakeKubeApi api = new();
    private readonly FakeGatewayInstance gateway = new() { Id = Guid.Parse(View.Instance!) };
    private readonly WatchedTime time = new();
    private readonly LogLines log = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
    private readonly DriverStopper stopper;

    public DriverStopperTests()
    {
        var cluster = new ClusterView(api, AllFlavours.List);
        var instance = new OwnInstance(gateway);
        var options = new GatewayOptions();
        options.Kubernetes.StopLimitSeconds = LimitSeconds;
        stopper = new DriverStopper(api, cluster, new ApplicationFinder(api, cluster, instance), instance, options, time, log.For<DriverStopper>());
        api.OnGet = Answer(Application);
        Applications.Put(Application);
        Pods.Put(Pod);
    }

    private FakeWatch<ApplicationView> Applications => api.WatchOf<ApplicationView>(Kind);

    private FakeWatch<DriverPod> Pods => api.WatchOf<DriverPod>(ResourceKind.Pods);

    public void Dispose() => deadline.Dispose();

    [Fact]
    public async Task Stop_ItsApplication_IsDeletedByItsUidAndWaitedForWithItsPod()
    {
        var stop = StopAsync();

        await time.TimerAsync(LookEvery, deadline.Token);
        Assert.Equal([(Kind, Application.Key, Application.Uid)], api.Deletions);
        Applications.Remove(Application);
        await time.TimerAsync(LookEvery, deadline.Token);
        Assert.False(stop.IsCompleted);
        Pods.Remove(Pod);

        await stop.WaitAsync(deadline.Token);
        Assert.DoesNotContain("Warning", log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GatewayLabels.Session, "11111111-9d0f-4f2b-8a55-3c1f2e4d5a6b")]
    [InlineData(GatewayLabels.Session, null)]
    [InlineData(GatewayLabels.Instance, "11111111-5f3e-4c6c-9a53-0f6a2c9d8b11")]
    [InlineData(GatewayLabels.Instance, null)]
    public async Task Stop_ApplicationOfThatNameBearsAnothersMark_IsLeftAlone(string label, string? value)
    {
        api.OnGet = Answer(Sample.Change(Application, app => app["metadata"]!["labels"]![label] = value));

        await StopAsync().WaitAsync(deadline.Token);

        Assert.Empty(api.Deletions);
    }

    [Fact]
    public async Task Stop_NoSuchApplication_IsOverAtOnceOnceEachKindWasAskedFor()
    {
        api.OnGet = (_, _) => KubeResult<KubeObject?>.Ok(null);

        await StopAsync().WaitAsync(deadline.Token);

        Assert.Equal(AllFlavours.List.Count, api.Gets);
        Assert.Empty(api.Deletions);
    }

    [Fact]
    public async Task Stop_ApplicationOfAnotherKind_IsDeletedAsThatKind()
    {
        var connect = new SparkConnectFlavour().Kind;
        api.OnGet = (kind, _) => kind == connect ? Application : KubeResult<KubeObject?>.Ok(null);
        Applications.Remove(Application);
        Pods.Remove(Pod);

        await StopAsync().WaitAsync(deadline.Token);

        Assert.Equal([(connect, Application.Key, Application.Uid)], api.Deletions);
    }

    [Fact]
    public async Task Stop_AnotherRunHasTheNameByNow_IsNotWaitedFor()
    {
        var rerun = Sample.Change(Application, app => app["metadata"]!["uid"] = "another");
        api.OnDelete = _ =>
        {
            Applications.Put(rerun);
            Pods.Put(Sample.Change(Pod, pod =>
            {
                pod["metadata"]!["uid"] = "another-pod";
                pod["metadata"]!["ownerReferences"]![0]!["uid"] = rerun.Uid;
            }));
            return false;
        };

        await StopAsync().WaitAsync(deadline.Token);

        Assert.Equal([Application.Uid], api.Deletions.Select(deletion => deletion.Uid));
    }

    [Theory]
    [InlineData("find")]
    [InlineData("delete")]
    [InlineData("store")]
    public async Task Stop_NoAnswerForAWhile_IsTriedUntilThereIsOne(string silent)
    {
        if (silent == "find") api.OnGet = (_, _) => FakeKubeApi.Silent;
        if (silent == "delete") api.OnDelete = _ => FakeKubeApi.Silent;
        if (silent == "store") gateway.Unread = FakeKubeApi.Silent.Error;
        var stop = StopAsync();
        await PauseAsync(0.5, 1);
        await time.TimerAsync(TimeSpan.FromSeconds(2), deadline.Token);

        api.OnGet = Answer(Application);
        api.OnDelete = _ => true;
        gateway.Unread = null;
        time.Advance(TimeSpan.FromSeconds(2));

        await time.TimerAsync(LookEvery, deadline.Token);
        Assert.Equal(silent == "delete" ? 4 : 1, api.Deletions.Count);
        Assert.Equal(3, log.Text.Split('\n').Count(line => line.Contains($"The driver of session {View.Key} could not be deleted yet: The API server does not answer.", StringComparison.Ordinal)));
        Applications.Remove(Application);
        Pods.Remove(Pod);
        await stop.WaitAsync(deadline.Token);
    }

    [Fact]
    public async Task Stop_NoAnswerAtAll_IsGivenUpAtTheLimit()
    {
        api.OnGet = (_, _) => FakeKubeApi.Silent;
        var stop = StopAsync();

        await PauseAsync(0.5, 1, 2, 4, 8, 8);
        await time.TimerAsync(TimeSpan.FromSeconds(8), deadline.Token);
        time.Advance(TimeSpan.FromSeconds(6.4));
        Assert.False(stop.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        await stop.WaitAsync(deadline.Token);
        Assert.Equal(7, api.Gets);
        Assert.Contains($"was not gone {LimitSeconds} s after its end (kubernetes.stop_limit_seconds)", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_PodThatStays_IsWaitedForUntilTheLimit()
    {
        var stop = StopAsync();
        await time.TimerAsync(LookEvery, deadline.Token);
        Applications.Remove(Application);
        await time.TimerAsync(LookEvery, deadline.Token);

        time.Advance(TimeSpan.FromSeconds(LimitSeconds));

        await stop.WaitAsync(deadline.Token);
        Assert.Single(api.Deletions);
        Assert.Contains("kubernetes.stop_limit_seconds", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_Cancelled_IsNoEndByTheLimit()
    {
        using var cancel = new CancellationTokenSource();
        var stop = stopper.StopAsync(Driver, cancel.Token);
        await time.TimerAsync(LookEvery, deadline.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stop.WaitAsync(deadline.Token));
        Assert.DoesNotContain("kubernetes.stop_limit_seconds", log.Text, StringComparison.Ordinal);
    }

    private static DriverRef Driver => new(View.SessionId!.Value, new SessionName(View.Key.Namespace, View.Key.Name));

    private static Func<ResourceKind, ObjectKey, KubeResult<KubeObject?>> Answer(KubeObject application) =>
        (kind, key) => kind == Kind && key == application.Key ? application : KubeResult<KubeObject?>.Ok(null);

    private Task StopAsync() => stopper.StopAsync(Driver, deadline.Token);

    /// <summary>Steps past pauses of these lengths, each once it has begun.</summary>
    private async Task PauseAsync(params double[] seconds)
    {
        foreach (var pause in seconds.Select(TimeSpan.FromSeconds))
        {
            await time.TimerAsync(pause, deadline.Token);
            time.Advance(pause);
        }
    }
}
