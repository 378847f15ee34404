using SparkGateway.Domain.Routing;
using static SparkGateway.Domain.Tests.Routing.Given;

namespace SparkGateway.Domain.Tests.Routing;

public sealed class ContradictionTests
{
    private const string Name = "spark-connect-data-abcdefgh";

    [Theory]
    [InlineData(null, null, null, null)]
    [InlineData("", "", "", "")]
    [InlineData("new", null, null, null)]
    [InlineData(Name, null, null, null)]
    [InlineData(Name, "ns", "data", "dev")]
    [InlineData(null, "ns", null, null)]
    [InlineData("new", null, "data", "dev")]
    public void Contradicts_SameOrNothing_IsFine(string? name, string? space, string? team, string? env)
    {
        Assert.Null(RoutingRules.Contradicts(Call() with { Headers = Hints(name, space, team, env) }, OnDemand(), Policy));
        Assert.Null(RoutingRules.Contradicts(Call() with { Config = Hints(name, space, team, env) }, OnDemand(), Policy));
    }

    [Theory]
    [InlineData("other", null, null, null, "x-spark-session-id")]
    [InlineData("NEW", null, null, null, "x-spark-session-id")]
    [InlineData(null, "ns2", null, null, "x-spark-namespace")]
    [InlineData("new", "ns2", null, null, "x-spark-namespace")]
    [InlineData(null, null, "ml", null, "x-spark-team")]
    [InlineData(null, null, "data", "prod", "x-spark-environment")]
    public void Contradicts_AnythingElse_NamesTheHeader(string? name, string? space, string? team, string? env, string header)
    {
        var inHeaders = RoutingRules.Contradicts(Call() with { Headers = Hints(name, space, team, env) }, OnDemand(), Policy);
        var inConfig = RoutingRules.Contradicts(Call() with { Config = Hints(name, space, team, env) }, OnDemand(), Policy);

        Assert.NotNull(inHeaders);
        Assert.Equal(ErrorCode.InvalidArgument, inHeaders.Code);
        Assert.Contains($"{header} now says", inHeaders.Text, StringComparison.Ordinal);
        Assert.Contains($"ns/{Name} of data/dev", inHeaders.Text, StringComparison.Ordinal);
        Assert.Equal(inHeaders, inConfig);
    }

    [Fact]
    public void Contradicts_TeamOfAnAttachedSession_IsIgnored() =>
        Assert.Null(RoutingRules.Contradicts(Call() with { Headers = Hints("app", "ns", "ml", "prod") }, Attached(), Policy));
}
