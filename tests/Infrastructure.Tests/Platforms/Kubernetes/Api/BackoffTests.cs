using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

public sealed class BackoffTests
{
    private static readonly KubeLimits Limits = new(new KubernetesOptions { BackoffMilliseconds = 800, BackoffMaxSeconds = 30, BackoffResetSeconds = 120 });

    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Next_FailureAfterFailure_GrowsToItsMost()
    {
        var longest = Enumerable.Range(0, 2_000).Aggregate(new double[40], (most, _) =>
        {
            var backoff = new Backoff(Limits, time);
            for (var i = 0; i < most.Length; i++) most[i] = Math.Max(most[i], backoff.Next().TotalSeconds);
            return most;
        });

        Assert.InRange(longest[0], 0.4, 0.8);
        Assert.InRange(longest[2], 1.6, 3.2);
        Assert.InRange(longest[39], 15, 30);
    }

    [Fact]
    public void Next_AskedForMore_WaitsAsAsked() => Assert.Equal(TimeSpan.FromSeconds(40), new Backoff(Limits, time).Next(TimeSpan.FromSeconds(40)));

    [Fact]
    public void Next_LongWithoutFailure_BeginsAnew()
    {
        var backoff = new Backoff(Limits, time);
        for (var i = 0; i < 20; i++) backoff.Next();
        time.Advance(TimeSpan.FromSeconds(30 + 121));

        Assert.InRange(backoff.Next().TotalSeconds, 0, 0.8);
    }
}
