using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Relay.Tests.Transport;

public sealed class LimitLogTests : IDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly CollectedLogs logs = new();
    private readonly LimitLog limits;

    public LimitLogTests() => limits = new LimitLog(logs, time);

    public void Dispose() => logs.Dispose();

    [Fact]
    public void Hits_OfOneReason_AreOneLineAMinuteWithTheirCount()
    {
        for (var hit = 0; hit < 1000; hit++) limits.Hit(CallSide.Client, "too many resets", $"10.0.0.{hit % 7}");
        Assert.Contains("too many resets (10.0.0.0)", Assert.Single(logs.Warnings), StringComparison.Ordinal);

        time.Advance(TimeSpan.FromSeconds(59));
        limits.Tick();
        Assert.Single(logs.Warnings);

        time.Advance(TimeSpan.FromSeconds(1));
        limits.Tick();
        limits.Tick();
        Assert.Equal(2, logs.Warnings.Count());
        Assert.Contains("999 times", logs.Warnings.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void Hits_OfOtherReasons_HaveLinesOfTheirOwn()
    {
        limits.Hit(CallSide.Client, "too many resets", "10.0.0.1");
        limits.Hit(CallSide.Client, "too many pings", "10.0.0.2");

        Assert.Equal(2, logs.Warnings.Count());
    }

    [Fact]
    public void Hit_AfterAQuietMinute_IsToldAtOnce()
    {
        limits.Hit(CallSide.Client, "too many resets", "10.0.0.1");
        time.Advance(TimeSpan.FromMinutes(5));
        limits.Hit(CallSide.Client, "too many resets", "10.0.0.2");

        Assert.Contains("10.0.0.2", logs.Warnings.Last(), StringComparison.Ordinal);
    }
}
