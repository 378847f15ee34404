using System.Text;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Domain.Routing;

/// <summary>What a client reads when routing refuses its call: what happened, why, what to do.</summary>
internal static class RoutingTexts
{
    private const int Listed = 10;
    private const int LongestValue = 253;

    public static GatewayError NoClientSessionId() => GatewayError.Invalid(
        "The request carries no session_id, so it cannot be routed; every Spark Connect client sends one in field 1.");

    public static GatewayError NotUuid(string id) => GatewayError.Invalid(
        $"The session_id '{Show(id, ClientSessionKey.ShownCharacters)}' (its first {ClientSessionKey.ShownCharacters} characters) is not a UUID, which Spark demands; leave session_id out of the connection string or set a UUID.");

    public static GatewayError Malformed(string header, string value, string rule) => GatewayError.Invalid(
        $"The value '{Show(value)}' of {header} is not allowed: it must be {rule}.");

    public static GatewayError NamespaceWithoutName(string space, RoutingPolicy policy) => GatewayError.Invalid(
        $"{policy.Headers.Namespace}={Show(space)} came without the name of a session in it. Name both: {NamedForm(policy)}, or drop the namespace to get a driver on demand, whose namespace follows from team and environment."
        + OneByOne);

    public static GatewayError NotUnique(string name, List<Session> candidates, IReadOnlyList<Session> attached, RoutingPolicy policy) => GatewayError.Invalid(
        candidates.Count > 0
            ? $"{candidates.Count} attached sessions are called '{Show(name)}': {Names(candidates)}. Say which by its namespace: {NamedForm(policy)}."
            : $"No attached session is called '{Show(name)}'; {(attached.Count > 0 ? $"there are: {Names(attached)}" : "there is none at all")}. A session on demand is named together with its namespace: {NamedForm(policy)}.");

    public static GatewayError NoSuchSession(SessionName name, RoutingPolicy policy) => new(ErrorCode.NoSuchSession, Blame.Client,
        $"There is no live session {Show(name.ToString())}: it never existed or has ended. Check {policy.Headers.SessionName} and {policy.Headers.Namespace}, or drop both to get a driver on demand.");

    public static GatewayError NotYours(SessionName name) => new(ErrorCode.PermissionDenied, Blame.Client,
        $"Session {name} was opened on demand by somebody else, or your client names no user: only the user who opened it may join it. Set user_id in the connection string, or open a session of your own.");

    public static GatewayError UnknownClientSession() => new(ErrorCode.SessionChanged, Blame.Client,
        "The gateway knows no driver for this Spark session any more, so there is no query and no error to return to; call getOrCreate() again for a new session.");

    public static GatewayError HalfTeam(RouteHints hints, RoutingPolicy policy)
    {
        var (given, missing) = hints.Team is null
            ? (policy.Headers.Environment, policy.Headers.Team)
            : (policy.Headers.Team, policy.Headers.Environment);
        return GatewayError.Invalid($"{given} came without {missing}; a driver on demand needs both: {TeamForm(policy)}.{OneByOne}");
    }

    public static GatewayError OnDemandOff(RoutingPolicy policy) => GatewayError.Invalid(
        $"This gateway opens no drivers on demand, and the call names no session. Name one: {NamedForm(policy)}.");

    public static GatewayError NoTeam(RoutingPolicy policy) => GatewayError.Invalid(
        $"The call names no session and no team to open one for. Connect with {TeamForm(policy)}, or to a session that exists with {NamedForm(policy)}.");

    public static GatewayError TeamNotAllowed(TeamRef team, RoutingPolicy policy) => new(ErrorCode.PermissionDenied, Blame.Client,
        policy.Teams.Count == 0
            ? $"Team and environment {team} may not open sessions here: none may. The operator allows pairs with spark_connect.on_demand.teams."
            : $"Team and environment {team} may not open sessions here. Allowed: {List(policy.Teams.Select(allowed => allowed.ToString()), policy.Teams.Count)}. The operator allows more with spark_connect.on_demand.teams.");

    public static GatewayError BadNamespace(string space, TeamRef team) => GatewayError.Invalid(
        $"Team and environment {team} lead to the namespace '{Show(space)}', which is not allowed: it must be {SessionName.LabelRule}. Use shorter names, or ask the operator to change spark_connect.default_namespace_pattern.");

    public static GatewayError Contradiction(string header, string value, Session session) => GatewayError.Invalid(
        $"This Spark session is bound to {session.Name}{Owner(session)}, but {header} now says '{Show(value)}'. A session is never moved: drop the header, or stop() this session and create one with the new value.");

    /// <summary>A value of the client's, safe to print: cut, and without characters that a terminal would act on.</summary>
    private static string Show(string value, int longest = LongestValue)
    {
        var shown = new StringBuilder(Math.Min(value.Length, longest) + 3);
        foreach (var character in value.AsSpan(0, Math.Min(value.Length, longest)))
            shown.Append(char.IsControl(character) || char.IsSurrogate(character) ? '?' : character);
        return value.Length > longest ? shown.Append("...").ToString() : shown.ToString();
    }

    private const string OneByOne = " Clients that send settings one by one (JVM) must use this form.";

    private static string NamedForm(RoutingPolicy policy) =>
        $"sc://{policy.PublicAddress}/;{policy.Headers.SessionName}=NAME;{policy.Headers.Namespace}=NAMESPACE";

    private static string TeamForm(RoutingPolicy policy) =>
        $"sc://{policy.PublicAddress}/;{policy.Headers.Team}=TEAM;{policy.Headers.Environment}=ENV";

    private static string Owner(Session session) => session.Team is null ? "" : $" of {session.Team}/{session.Environment}";

    private static string Names(IReadOnlyList<Session> sessions) => List(sessions.Select(session => session.Name.ToString()), sessions.Count);

    private static string List(IEnumerable<string> items, int count) =>
        string.Join(", ", items.Take(Listed)) + (count > Listed ? $" and {count - Listed} more" : "");
}
