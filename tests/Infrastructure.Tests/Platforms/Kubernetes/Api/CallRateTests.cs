using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

public sealed class CallRateTests
{
    private readonly WatchedTime time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_Burst_IsAtOnce_TheNextWaitsItsTurn()
    {
        var rate = new CallRate(perSecond: 20, burst: 3, TimeSpan.FromSeconds(1), time);

        for (var i = 0; i < 3; i++) Assert.True(rate.TakeAsync(Cancellation).AsTask().IsCompletedSuccessfully);
        var fourth = rate.TakeAsync(Cancellation).AsTask();
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(50));

        Assert.True(await fourth);
    }

    [Fact]
    public async Task Take_QueueLongerThanAllowed_IsRefusedAndTakesNoTurn()
    {
        var rate = new CallRate(perSecond: 1, burst: 1, TimeSpan.FromSeconds(1), time);
        Assert.True(await rate.TakeAsync(Cancellation));
        var second = rate.TakeAsync(Cancellation).AsTask();

        for (var i = 0; i < 5; i++) Assert.False(await rate.TakeAsync(Cancellation));
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(await second);
        var third = rate.TakeAsync(Cancellation).AsTask();
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await third);
    }
}
