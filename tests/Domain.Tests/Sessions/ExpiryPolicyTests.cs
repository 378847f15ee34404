using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using static SparkGateway.Domain.Tests.Routing.Given;

namespace SparkGateway.Domain.Tests.Sessions;

public sealed class ExpiryPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 25, 16, 0, 0, TimeSpan.Zero);
    private static readonly ExpiryPolicy Policy30 = new();

    [Theory]
    [InlineData(29.9, 0, 60, null)]
    [InlineData(30, 0, 60, EndReason.Idle)]
    [InlineData(600, 0.1, 60, null)]
    [InlineData(0, 0, 0, EndReason.MaxTtl)]
    [InlineData(0, 5, -1, EndReason.MaxTtl)]
    [InlineData(600, 0, -1, EndReason.MaxTtl)]
    public void Decide_BoundSession_GoesByUseAndAge(double unusedMinutes, double busyMinutes, double leftMinutes, EndReason? expected)
    {
        var use = Use(OnDemand(), unusedMinutes, busyMinutes, leftMinutes);

        Assert.Equal(expected, Policy30.Decide(use, mayBeIdle: true));
        Assert.Equal(expected == EndReason.Idle ? null : expected, Policy30.Decide(use, mayBeIdle: false));
    }

    [Theory]
    [InlineData(59, null)]
    [InlineData(60, EndReason.Released)]
    public void Decide_NobodyBound_LingersFromTheLastRelease(int seconds, EndReason? expected)
    {
        var use = Use(OnDemand(), 0, 5, 60) with { BoundClients = 0, LastReleasedAt = Now.AddSeconds(-seconds) };

        Assert.Equal(expected, Policy30.Decide(use, mayBeIdle: false));
        Assert.Null(Policy30.Decide(use with { BoundClients = 1 }, mayBeIdle: false));
        Assert.Null(Policy30.Decide(use with { LastReleasedAt = null }, mayBeIdle: false));
    }

    [Theory]
    [InlineData(SessionState.Starting)]
    [InlineData(SessionState.Ending)]
    [InlineData(SessionState.Ended)]
    public void Decide_AnyOtherState_IsLeftAlone(SessionState state) =>
        Assert.Null(Policy30.Decide(Use(OnDemand(state: state), 600, 0, -1), mayBeIdle: true));

    [Fact]
    public void Decide_AttachedSession_IsLeftAlone() => Assert.Null(Policy30.Decide(Use(Attached(), 600, 0, -1), mayBeIdle: true));

    [Fact]
    public void LimitsOf_TeamWithItsOwn_AreThose()
    {
        var own = new ExpiryLimits(TimeSpan.FromMinutes(5), TimeSpan.FromHours(1));
        var policy = Policy30 with { Teams = new Dictionary<TeamRef, ExpiryLimits> { [Data] = own } };

        Assert.Equal(own, policy.LimitsOf(OnDemand()));
        Assert.Equal(policy.Limits, policy.LimitsOf(OnDemand(env: "prod")));
        Assert.Equal(TimeSpan.FromMinutes(5), policy.LeastIdleTimeout);
    }

    private static SessionUse Use(Session session, double unusedMinutes, double busyMinutes, double leftMinutes) => new(
        session with { LastActivityAt = Now.AddMinutes(-unusedMinutes), BusyUntil = Now.AddMinutes(busyMinutes), MaxTtlAt = Now.AddMinutes(leftMinutes) }, 1, null, Now);
}
