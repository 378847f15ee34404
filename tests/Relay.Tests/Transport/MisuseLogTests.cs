using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Relay.Tests.Transport;

public sealed class MisuseLogTests
{
    [Fact]
    public void Misuse_ManyTimes_IsOneLineAMinuteForEachReason()
    {
        var time = new FakeTimeProvider();
        using var logs = new CollectedLogs();
        var misuse = new MisuseLog(time, logs);

        for (var n = 0; n < 1000; n++) misuse.Add(CallSide.Client, "10.0.0.1:5", "too many resets");
        misuse.Add(CallSide.Client, "10.0.0.1:6", "too many PINGs");
        time.Advance(TimeSpan.FromSeconds(61));
        misuse.Add(CallSide.Client, "10.0.0.2:7", "too many resets");

        Assert.Collection(
            logs.Warnings,
            line => Assert.Contains("10.0.0.1:5 was closed: too many resets; 0 more", line, StringComparison.Ordinal),
            line => Assert.Contains("10.0.0.1:6 was closed: too many PINGs", line, StringComparison.Ordinal),
            line => Assert.Contains("10.0.0.2:7 was closed: too many resets; 999 more", line, StringComparison.Ordinal));
    }
}
