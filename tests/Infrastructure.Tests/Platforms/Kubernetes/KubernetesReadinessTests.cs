using SparkGateway.Domain;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>What of the cluster takes a replica out of the balancer, and what is only told.</summary>
public sealed class KubernetesReadinessTests : IDisposable
{
    private static readonly AccessGap Gap = new("", "pods", "watch", "ns", "The gateway's service account may not watch pods.");

    private readonly FakeKubeApi api = new();
    private readonly WatchedTime time = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
    private readonly GatewayOptions options = new();
    private readonly LogLines logs = new();
    private readonly AccessCheck access;
    private readonly KubernetesReadiness readiness;

    public KubernetesReadinessTests()
    {
        var cluster = new ClusterView(api, AllFlavours.List);
        access = new AccessCheck(api, cluster, options, time, logs.For<AccessCheck>());
        readiness = new KubernetesReadiness(cluster, access, options);
    }

    private static KubeError Refused { get; } = new(KubeFailure.Forbidden, new GatewayError(ErrorCode.StartFailed, Blame.Cluster, "Reviews are not for you."));

    private TimeSpan Usual => TimeSpan.FromSeconds(options.Kubernetes.AccessReviewSeconds);

    private TimeSpan Soon => TimeSpan.FromSeconds(options.Kubernetes.AccessRetrySeconds);

    public void Dispose()
    {
        deadline.Cancel();
        deadline.Dispose();
    }

    [Fact]
    public async Task Rights_NotReviewedYet_IsNotReady() =>
        Assert.Equal(ReadinessResult.NotReady("the gateway's rights on the cluster are not reviewed yet"), await CheckAsync());

    [Fact]
    public async Task Rights_MissingFromTheStart_IsNotReadyUntilTheyAreThere()
    {
        api.OnReview = () => Missing();
        _ = access.RunAsync(deadline.Token);
        await time.TimerAsync(Soon, deadline.Token);
        Assert.Equal(ReadinessResult.NotReady(Gap.Text), await CheckAsync());

        await ReviewedAsync(Soon, () => KubeResult<IReadOnlyList<AccessGap>>.Ok([]), Usual);

        Assert.Equal(ReadinessResult.Ready(), await CheckAsync());
    }

    [Fact]
    public async Task Rights_TakenAwayLater_IsDegradedUntilTheyAreBack()
    {
        _ = access.RunAsync(deadline.Token);
        await time.TimerAsync(Usual, deadline.Token);
        Assert.Equal(ReadinessResult.Ready(), await CheckAsync());

        await ReviewedAsync(Usual, () => Missing(), Soon);
        Assert.Equal(ReadinessResult.Degraded(Gap.Text), await CheckAsync());

        // A server that does not answer says nothing new.
        await ReviewedAsync(Soon, () => FakeKubeApi.Silent, Soon);
        Assert.Equal(ReadinessResult.Degraded(Gap.Text), await CheckAsync());

        await ReviewedAsync(Soon, () => KubeResult<IReadOnlyList<AccessGap>>.Ok([]), Usual);
        Assert.Equal(ReadinessResult.Ready(), await CheckAsync());
        await logs.Seen("has all the rights");
    }

    [Fact]
    public async Task Review_WithoutAnAnswer_IsWaitedFor()
    {
        api.OnReview = () => FakeKubeApi.Silent;
        _ = access.RunAsync(deadline.Token);
        await time.TimerAsync(Soon, deadline.Token);
        Assert.False((await CheckAsync()).IsReady);

        await ReviewedAsync(Soon, () => Missing(), Soon);

        Assert.Equal(ReadinessResult.NotReady(Gap.Text), await CheckAsync());
    }

    [Fact]
    public async Task Review_ThatNobodyMayAskFor_HoldsUpNothing()
    {
        api.OnReview = () => Refused;
        _ = access.RunAsync(deadline.Token);
        await time.TimerAsync(Soon, deadline.Token);

        Assert.Equal(ReadinessResult.Ready(), await CheckAsync());
    }

    [Fact]
    public async Task Cluster_NotListedYet_IsNotReadyWhateverTheRightsAre()
    {
        _ = access.RunAsync(deadline.Token);
        await time.TimerAsync(Usual, deadline.Token);
        api.WatchOf<DriverPod>(ResourceKind.Pods).IsSynced = false;

        Assert.False((await CheckAsync()).IsReady);
    }

    private static KubeResult<IReadOnlyList<AccessGap>> Missing() => KubeResult<IReadOnlyList<AccessGap>>.Ok([Gap]);

    private ValueTask<ReadinessResult> CheckAsync() => readiness.CheckAsync(deadline.Token);

    /// <summary>Lets the review come that is due, and waits until it is done: the next one is due then.</summary>
    private async Task ReviewedAsync(TimeSpan due, Func<KubeResult<IReadOnlyList<AccessGap>>> answer, TimeSpan next)
    {
        api.OnReview = answer;
        time.Advance(due);
        await time.TimerAsync(next, deadline.Token);
    }
}
