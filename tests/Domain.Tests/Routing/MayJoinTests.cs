using SparkGateway.Domain.Routing;
using static SparkGateway.Domain.Tests.Routing.Given;

namespace SparkGateway.Domain.Tests.Routing;

public sealed class MayJoinTests
{
    private static readonly RoutingPolicy Sharing = Policy with { ShareConnection = true };
    private static readonly CarriedSession Anns = new("ann", Hints(team: "data", env: "dev"), MayBeShared: false);
    private static readonly RouteRequest Second = Call() with { Headers = Hints(team: "data", env: "dev") };

    [Fact]
    public void MayJoin_SameUserAndHeaders_Yes() => Assert.True(RoutingRules.MayJoin(Second, Anns, Sharing));

    [Fact]
    public void MayJoin_EmptyHeaderLikeAbsent_Yes() => Assert.True(RoutingRules.MayJoin(Second with { Headers = Hints("", "", "data", "dev") }, Anns, Sharing));

    public static TheoryData<string, RouteRequest, CarriedSession, RoutingPolicy> Refusals => new()
    {
        { "switched off", Second, Anns, Policy },
        { "connection may be shared", Second, Anns with { MayBeShared = true }, Sharing },
        { "another user", Call(user: "bob") with { Headers = Second.Headers }, Anns, Sharing },
        { "no user", Call(user: "") with { Headers = Second.Headers }, Anns with { UserId = "" }, Sharing },
        { "other headers", Second with { Headers = Hints(team: "data", env: "prod") }, Anns, Sharing },
        { "fewer headers", Call(), Anns, Sharing },
        { "an explicit new", Second with { Headers = Hints("new", null, "data", "dev") }, Anns with { Headers = Hints("new", null, "data", "dev") }, Sharing },
        { "an explicit new by config", Second with { Config = Hints("new") }, Anns, Sharing },
        { "a named session", Second with { Config = Hints("app") }, Anns, Sharing },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void MayJoin_AnyConditionMissing_No(string condition, RouteRequest request, CarriedSession carried, RoutingPolicy policy) =>
        Assert.False(RoutingRules.MayJoin(request, carried, policy), condition);
}
