using SparkGateway.Domain.Sessions;

namespace SparkGateway.Domain.Routing;

/// <summary>What is known about the sessions that an unbound call may lead to.</summary>
public sealed record RoutingFacts
{
    public static readonly RoutingFacts None = new();

    /// <summary>The live attached sessions; asked for only when a name comes without a namespace.</summary>
    public IReadOnlyList<Session> Attached { get; init; } = [];

    /// <summary>The live session of <see cref="RoutingRules.FullName"/>, if there is one.</summary>
    public Session? Named { get; init; }

    /// <summary>The session that the connection rule leads to; null where <see cref="RoutingRules.MayJoin"/> says no.</summary>
    public Session? Joined { get; init; }
}

/// <summary>What the client connection carried last, as the connection rule sees it.</summary>
/// <param name="MayBeShared">More than one client may be behind the connection.</param>
public sealed record CarriedSession(string UserId, RouteHints Headers, bool MayBeShared);

/// <summary>Where an unbound call goes.</summary>
public abstract record RoutingDecision
{
    private RoutingDecision()
    {
    }

    /// <summary>No driver needs to hear of it.</summary>
    public sealed record AnswerOk : RoutingDecision;

    /// <summary>Answered OK; the hints are kept for the client session's next call.</summary>
    public sealed record Absorb(RouteHints Hints) : RoutingDecision;

    public sealed record Bind(Guid SessionId, BoundVia Via) : RoutingDecision;

    /// <summary>A new driver, bound as <see cref="BoundVia.OnDemand"/>.</summary>
    public sealed record Open(TeamRef Team, string Namespace) : RoutingDecision;

    public sealed record Refuse(GatewayError Error) : RoutingDecision;
}
