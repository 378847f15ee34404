using System.Text.Json.Nodes;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>When a driver of a cluster counts as gone.</summary>
public sealed class LiveDriversTests : IDisposable
{
    private static readonly KubeObject Running = Sample.Of("running").PodObject;
    private static readonly KubeObject Application = Sample.Of("running").ApplicationObject;

    private readonly FakeKubeApi api = new();
    private readonly WatchedTime time = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
    private readonly LiveDrivers live;
    private readonly Guid session = Guid.NewGuid();
    private readonly Task run;

    public LiveDriversTests()
    {
        var cluster = new ClusterView(api, AllFlavours.List);
        live = new LiveDrivers(cluster, new DriverLogs(api, cluster, new FakeDriverTokens()), api, time, new LogLines().For<LiveDrivers>());
        api.WatchOf<ApplicationView>(new SparkApplicationFlavour().Kind).Put(Application);
        Pods.Put(Running);
        live.Track(new LiveDriver(session, SessionKind.OnDemand, new SessionName("ns", "app"), Application.Uid, Sample.Of("running").Pod!));
        run = live.RunAsync(deadline.Token);
    }

    private FakeWatch<DriverPod> Pods => api.WatchOf<DriverPod>(ResourceKind.Pods);

    public void Dispose()
    {
        deadline.Cancel();
        live.Dispose();
        deadline.Dispose();
    }

    [Fact]
    public async Task Pod_DeletedAndGone_IsLost()
    {
        Pods.Remove(Running);

        var exit = await live.Exits.ReadAsync(deadline.Token);

        Assert.Equal((session, EndReason.Lost), (exit.SessionId, exit.Reason));
        Assert.Contains("somebody deleted its pod", exit.Detail, StringComparison.Ordinal);
        Assert.False(live.IsTracked(session));
    }

    [Fact]
    public async Task Pod_DeletedOnANodeThatFellSilent_NamesTheNode()
    {
        Pods.Put(Sample.Change(Running, pod =>
        {
            pod["metadata"]!["deletionTimestamp"] = "2026-11-28T02:38:00Z";
            pod["status"]!["conditions"] = JsonNode.Parse("""[{"type": "Ready", "status": "False"}]""");
        }));

        var exit = await live.Exits.ReadAsync(deadline.Token);
        Assert.Equal(EndReason.Lost, exit.Reason);
        Assert.Contains("node node-1 of pod ", exit.Detail, StringComparison.Ordinal);
        Assert.EndsWith("cannot be reached any more", exit.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pod_OutOfTheWatchOnly_LivesOn()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        api.OnGet = (_, _) =>
        {
            asked.TrySetResult();
            return Running;
        };

        Pods.Remove(Running);

        await asked.Task.WaitAsync(deadline.Token);
        while (!live.IsTracked(session))
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.False(live.Exits.TryRead(out _));
    }

    [Fact]
    public async Task Pod_OutOfTheWatchWhileTheApiServerIsSilent_IsJudgedWhenItAnswers()
    {
        api.OnGet = (_, _) => FakeKubeApi.Silent;
        Pods.Remove(Running);
        for (var asked = 1; asked <= 3; asked++)
        {
            await time.TimerAsync(TimeSpan.FromSeconds(2), deadline.Token);
            Assert.False(live.Exits.TryRead(out _));
            if (asked == 3) api.OnGet = (_, _) => KubeResult<KubeObject?>.Ok(null);
            time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(EndReason.Lost, (await live.Exits.ReadAsync(deadline.Token)).Reason);
        Assert.Equal(4, api.Gets);
        Assert.False(run.IsCompleted);
    }

    [Fact]
    public async Task Container_EndedInARunningPod_IsACrashWithoutAQuestion()
    {
        Pods.Put(Sample.Change(Running, pod => pod["status"]!["containerStatuses"]![0]!["state"] = JsonNode.Parse("""{"terminated": {"exitCode": 137, "reason": "OOMKilled"}}""")));

        var exit = await live.Exits.ReadAsync(deadline.Token);
        Assert.Equal((EndReason.Crashed, "its last line"), (exit.Reason, exit.LogTail));
        Assert.Equal(0, api.Gets);
    }

    [Fact]
    public void Forgotten_ItsEndIsNoNews()
    {
        live.Forget(session);

        Pods.Remove(Running);

        Assert.False(live.IsTracked(session));
        Assert.False(live.Exits.TryRead(out _));
        Assert.Equal(0, api.Gets);
    }
}
