using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Domain.Tests.Routing;

internal static class Given
{
    public const string Uuid = "0b8f5a6e-3f1c-4f1e-9a53-0d3a1f9b7c11";

    public static readonly TeamRef Data = new("data", "dev");

    public static readonly RoutingPolicy Policy = new()
    {
        Headers = new RoutingHeaderNames("x-spark-session-id", "x-spark-namespace", "x-spark-team", "x-spark-environment"),
        PublicAddress = "gw:15002",
        Default = Data,
        AnyTeam = true,
    };

    public static RouteRequest Call(SparkRpc rpc = SparkRpc.ExecutePlan, string user = "ann", string id = Uuid) => new()
    {
        Key = new ClientSessionKey(user, id),
        Rpc = rpc,
        Caller = new Caller(user, "10.0.0.1:999", "test"),
    };

    public static RouteHints Hints(string? name = null, string? space = null, string? team = null, string? env = null) => new(name, space, team, env);

    public static Session Attached(string space = "ns", string name = "app", SessionState state = SessionState.Ready) => new()
    {
        Id = Guid.NewGuid(),
        Name = new SessionName(space, name),
        Incarnation = 1,
        Kind = SessionKind.Attached,
        Platform = "config",
        State = state,
        Address = "10.0.0.9:15002",
    };

    public static Session OnDemand(string user = "ann", SessionState state = SessionState.Ready, string team = "data", string env = "dev") => new()
    {
        Id = Guid.NewGuid(),
        Name = new SessionName("ns", "spark-connect-data-abcdefgh"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = "local",
        State = state,
        Team = team,
        Environment = env,
        OpenedBy = user,
    };
}
