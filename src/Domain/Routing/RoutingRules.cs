using SparkGateway.Domain.Sessions;

namespace SparkGateway.Domain.Routing;

/// <summary>Which session a call leads to, or why it is refused. Pure; the order of the rules is that of the methods.</summary>
public static class RoutingRules
{
    /// <summary>For a client session without a binding.</summary>
    public static RoutingDecision Decide(RouteRequest request, RoutingFacts facts, RoutingPolicy policy)
    {
        if (request.Key.ClientSessionId.Length == 0) return new RoutingDecision.Refuse(RoutingTexts.NoClientSessionId());
        var asked = Asked.By(request);
        if (Malformed(asked, policy) is { } error) return new RoutingDecision.Refuse(error);
        if (request.IsAbsorbableConfig && asked.Via != BoundVia.Header) return new RoutingDecision.Absorb(request.Config);

        return Named(request, asked, facts, policy)
            ?? WithoutDriver(request)
            ?? HalfTeam(asked, policy)
            ?? Join(request, facts)
            ?? Open(request, asked, policy);
    }

    /// <summary>For a bound one: the header that names another session than it is bound to; "new", empty and absent never do.</summary>
    public static GatewayError? Contradicts(RouteRequest request, Session session, RoutingPolicy policy) =>
        Contradicts(request.Headers, session, policy) ?? Contradicts(request.Config, session, policy);

    /// <summary>The session that the request names in full, to be looked up before <see cref="Decide"/>.</summary>
    public static SessionName? FullName(RouteRequest request) =>
        Asked.By(request).Hints is { NamesSession: true, SessionName: { } name, Namespace: { } space }
            && SessionName.IsName(name) && SessionName.IsLabel(space)
            ? new SessionName(space, name)
            : null;

    /// <summary>It names a session but not its namespace: the attached sessions are to be listed before <see cref="Decide"/>.</summary>
    public static bool NamesWithoutNamespace(RouteRequest request) =>
        Asked.By(request).Hints is { NamesSession: true, Namespace: null };

    /// <summary>The connection rule's conditions that do not depend on the session it leads to.</summary>
    public static bool MayJoin(RouteRequest request, CarriedSession carried, RoutingPolicy policy) =>
        policy.ShareConnection
        && !carried.MayBeShared
        && request.Key.UserId.Length > 0
        && request.Key.UserId == carried.UserId
        && Asked.By(request).Hints.SessionName is null
        && Asked.Clean(request.Headers) == Asked.Clean(carried.Headers);

    private static GatewayError? Malformed(Asked asked, RoutingPolicy policy)
    {
        var (name, space, team, environment) = asked.Hints;
        var headers = policy.Headers;
        if (name is not null && !SessionName.IsName(name)) return RoutingTexts.Malformed(headers.SessionName, name, SessionName.NameRule);
        if (space is not null && !SessionName.IsLabel(space)) return RoutingTexts.Malformed(headers.Namespace, space, SessionName.LabelRule);
        if (team is not null && !SessionName.IsLabel(team)) return RoutingTexts.Malformed(headers.Team, team, SessionName.LabelRule);
        if (environment is not null && !SessionName.IsLabel(environment)) return RoutingTexts.Malformed(headers.Environment, environment, SessionName.LabelRule);
        return null;
    }

    private static RoutingDecision? Named(RouteRequest request, Asked asked, RoutingFacts facts, RoutingPolicy policy)
    {
        var (name, space, _, _) = asked.Hints;
        if (!asked.Hints.NamesSession)
            return space is null ? null : new RoutingDecision.Refuse(RoutingTexts.NamespaceWithoutName(space, policy));
        if (space is not null)
        {
            return facts.Named is { IsLive: true } named
                ? Enter(request, named, asked.Via, policy)
                : new RoutingDecision.Refuse(RoutingTexts.NoSuchSession(new SessionName(space, name!), policy));
        }

        var candidates = facts.Attached.Where(session => session.IsLive && session.Name.Name == name).ToList();
        return candidates is [var only]
            ? Enter(request, only, asked.Via, policy)
            : new RoutingDecision.Refuse(RoutingTexts.NotUnique(name!, candidates, facts.Attached, policy));
    }

    private static RoutingDecision Enter(RouteRequest request, Session session, BoundVia via, RoutingPolicy policy)
    {
        if (session.Kind == SessionKind.OnDemand)
        {
            if (request.Key.UserId.Length == 0 || request.Key.UserId != session.OpenedBy)
                return new RoutingDecision.Refuse(RoutingTexts.NotYours(session.Name));
            if (!IsUuid(request)) return new RoutingDecision.Refuse(RoutingTexts.NotUuid(request.Key.ClientSessionId));
        }

        return Contradicts(request, session, policy) is { } error
            ? new RoutingDecision.Refuse(error)
            : new RoutingDecision.Bind(session.Id, via);
    }

    private static RoutingDecision? WithoutDriver(RouteRequest request) => request.Rpc switch
    {
        SparkRpc.ReleaseSession or SparkRpc.ReleaseExecute => new RoutingDecision.AnswerOk(),

        // A fresh driver would say SESSION_NOT_FOUND, and the client would run its query again in an empty session.
        SparkRpc.ReattachExecute or SparkRpc.FetchErrorDetails => new RoutingDecision.Refuse(RoutingTexts.UnknownClientSession()),
        _ => null,
    };

    private static RoutingDecision.Refuse? HalfTeam(Asked asked, RoutingPolicy policy) =>
        asked.Hints.Team is null == asked.Hints.Environment is null
            ? null
            : new RoutingDecision.Refuse(RoutingTexts.HalfTeam(asked.Hints, policy));

    private static RoutingDecision.Bind? Join(RouteRequest request, RoutingFacts facts)
    {
        if (facts.Joined is not { Kind: SessionKind.OnDemand, IsLive: true } joined || !IsUuid(request)) return null;
        return AsksForOther(request.Config, joined) ? null : new RoutingDecision.Bind(joined.Id, BoundVia.Connection);
    }

    private static RoutingDecision Open(RouteRequest request, Asked asked, RoutingPolicy policy)
    {
        if (!policy.OnDemandEnabled) return new RoutingDecision.Refuse(RoutingTexts.OnDemandOff(policy));
        var team = asked.Hints is { Team: { } name, Environment: { } environment }
            ? new TeamRef(name, environment)
            : policy.ByAuthority(request.Authority) ?? policy.Default;
        if (team is null) return new RoutingDecision.Refuse(RoutingTexts.NoTeam(policy));
        if (!policy.Allows(team)) return new RoutingDecision.Refuse(RoutingTexts.TeamNotAllowed(team, policy));
        if (!IsUuid(request)) return new RoutingDecision.Refuse(RoutingTexts.NotUuid(request.Key.ClientSessionId));

        var space = policy.NamespaceOf(team);
        return SessionName.IsLabel(space)
            ? new RoutingDecision.Open(team, space)
            : new RoutingDecision.Refuse(RoutingTexts.BadNamespace(space, team));
    }

    private static GatewayError? Contradicts(RouteHints hints, Session session, RoutingPolicy policy)
    {
        var headers = policy.Headers;
        if (hints.NamesSession && hints.SessionName != session.Name.Name) return RoutingTexts.Contradiction(headers.SessionName, hints.SessionName!, session);
        if (Differs(hints.Namespace, session.Name.Namespace)) return RoutingTexts.Contradiction(headers.Namespace, hints.Namespace!, session);
        if (Differs(hints.Team, session.Team)) return RoutingTexts.Contradiction(headers.Team, hints.Team!, session);
        if (Differs(hints.Environment, session.Environment)) return RoutingTexts.Contradiction(headers.Environment, hints.Environment!, session);
        return null;
    }

    private static bool AsksForOther(RouteHints hints, Session session) =>
        Differs(hints.Team, session.Team) || Differs(hints.Environment, session.Environment);

    private static bool Differs(string? asked, string? actual) => !string.IsNullOrEmpty(asked) && actual is not null && asked != actual;

    // Spark itself takes nothing else, so a driver started for another id would serve no call.
    private static bool IsUuid(RouteRequest request) => Guid.TryParseExact(request.Key.ClientSessionId, "D", out _);

    /// <summary>Headers and Config pairs in one: name and namespace come from the same source, team and environment too; headers win.</summary>
    private readonly record struct Asked(RouteHints Hints, BoundVia Via)
    {
        public static Asked By(RouteRequest request)
        {
            var headers = Clean(request.Headers);
            var config = Clean(request.Config);
            var inHeaders = headers.SessionName is not null || headers.Namespace is not null;
            var place = inHeaders ? headers : config;
            var team = headers.Team is not null || headers.Environment is not null ? headers : config;
            return new Asked(new RouteHints(place.SessionName, place.Namespace, team.Team, team.Environment), inHeaders ? BoundVia.Header : BoundVia.Config);
        }

        public static RouteHints Clean(RouteHints hints) =>
            new(Filled(hints.SessionName), Filled(hints.Namespace), Filled(hints.Team), Filled(hints.Environment));

        private static string? Filled(string? text) => string.IsNullOrEmpty(text) ? null : text;
    }
}
