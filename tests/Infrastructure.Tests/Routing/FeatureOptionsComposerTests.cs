using SparkGateway.Domain.Routing;
using SparkGateway.Features;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Routing;

namespace SparkGateway.Infrastructure.Tests.Routing;

public sealed class FeatureOptionsComposerTests
{
    private static readonly Replica Self = new(Guid.NewGuid(), "host", IsOnly: true);

    [Fact]
    public void ForFeatures_EveryKey_ArrivesUnderItsName()
    {
        var options = new GatewayOptions();
        options.SparkConnect.DefaultNamespacePattern = "p-{team}";
        options.SparkConnect.StartLimitSeconds = 1;
        options.SparkConnect.StartGraceSeconds = 2;
        options.SparkConnect.ReleaseLingerSeconds = 3;
        options.SparkConnect.Headers = new() { SessionName = ["n", "x"], Namespace = ["s"], Team = ["t"], Environment = ["e"] };
        options.SparkConnect.Authorities["a"] = new() { Team = "at", Environment = "ae" };
        options.SparkConnect.OnDemand = new()
        {
            Enabled = false,
            DefaultTeam = "dt",
            DefaultEnvironment = "de",
            ShareConnection = true,
            MaxSessions = 4,
            MaxPerUser = 5,
            AnyTeam = true,
            Teams = [new() { Team = "lt", Environment = "le" }],
        };

        var features = options.ForFeatures(Self, "gw:15002");

        var policy = features.Policy;
        Assert.Equal(new RoutingHeaderNames("n", "s", "t", "e"), policy.Headers);
        Assert.Equal(("gw:15002", false, true, true, "p-{team}"), (policy.PublicAddress, policy.OnDemandEnabled, policy.ShareConnection, policy.AnyTeam, policy.NamespacePattern));
        Assert.Equal(new TeamRef("dt", "de"), policy.Default);
        Assert.Equal([new TeamRef("lt", "le")], policy.Teams);
        Assert.Equal(new TeamRef("at", "ae"), policy.ByAuthority("a"));
        Assert.Equal((Self, new SessionLimits(4, 5)), (features.Self, features.Limits));
        Assert.Equal((1d, 2d, 3d), (features.StartLimit.TotalSeconds, features.StartGrace.TotalSeconds, features.ReleaseLinger.TotalSeconds));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("team", "")]
    [InlineData("", "env")]
    public void ForFeatures_HalfADefault_IsNone(string team, string environment)
    {
        var options = new GatewayOptions();
        options.SparkConnect.OnDemand.DefaultTeam = team;
        options.SparkConnect.OnDemand.DefaultEnvironment = environment;

        Assert.Null(options.ForFeatures(Self, "gw:15002").Policy.Default);
    }
}
