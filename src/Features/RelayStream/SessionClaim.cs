using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.RelayStream;

/// <summary>Where a call stands once its client session was looked up or claimed.</summary>
internal abstract record Place
{
    public sealed record Answered(Admission Admission) : Place;

    public sealed record Live(LiveBinding Binding) : Place;

    public sealed record Bound(BoundSession Session) : Place;
}

/// <summary>An unbound client session: collects the facts, lets the rules decide, and writes the decision into the store.</summary>
internal sealed class SessionClaim(ISessionStore store, IOperatorStore unclaimed, ISessionStarter starter, IDriverPlatform platform, FeatureOptions options)
{
    public async Task<Result<Place>> ClaimAsync(RouteRequest request, ConnectionContext connection, CancellationToken cancellation)
    {
        if (MayBeUnclaimed(request))
        {
            var precreated = await unclaimed.ClaimAsync(request.Key, request.Caller, CancellationToken.None);
            if (!precreated.TryGet(out var own, out var unread)) return unread;
            if (own is not null) return new Place.Bound(own);
        }

        var gathered = await GatherAsync(request, connection, cancellation);
        if (!gathered.TryGet(out var facts, out var error)) return error;
        switch (RoutingRules.Decide(request, facts, options.Policy))
        {
            case RoutingDecision.AnswerOk:
                return new Place.Answered(new Admission.AnswerOk());
            case RoutingDecision.Absorb absorb:
                return new Place.Answered(new Admission.Absorb(absorb.Hints));
            case RoutingDecision.Refuse refuse:
                return refuse.Error;
            case RoutingDecision.Open open:
                return await OpenAsync(request, open);
            case RoutingDecision.Bind bind:
                var bound = await BindAsync(request, bind);
                if (bind.Via != BoundVia.Connection || bound.Error is not { Code: ErrorCode.SessionChanged }) return bound;

                // The connection's session ended in this moment: that is no failure of the new one.
                connection.Last = null;
                return await ClaimAsync(request, connection, cancellation);
            case var other:
                throw new InvalidOperationException($"No such decision: {other}");
        }
    }

    /// <summary>A session opened before its client came: its id is a UUID, and a client that only says goodbye wants no session.</summary>
    private static bool MayBeUnclaimed(RouteRequest request) =>
        request.Rpc is not (SparkRpc.ReleaseSession or SparkRpc.ReleaseExecute or SparkRpc.ReattachExecute or SparkRpc.FetchErrorDetails)
        && Guid.TryParseExact(request.Key.ClientSessionId, "D", out _);

    private async Task<Result<RoutingFacts>> GatherAsync(RouteRequest request, ConnectionContext connection, CancellationToken cancellation)
    {
        var facts = RoutingFacts.None;
        if (RoutingRules.FullName(request) is { } name)
        {
            var named = await store.FindLiveSessionAsync(name, cancellation);
            if (named.Error is { } error) return error;
            return facts with { Named = named.Value };
        }

        if (RoutingRules.NamesWithoutNamespace(request))
        {
            var live = await store.ListLiveAsync(cancellation);
            if (live.Error is { } error) return error;
            return facts with { Attached = [.. live.Value.Where(session => session is { Kind: SessionKind.Attached, IsLive: true })] };
        }

        if (connection.Last is { } last && RoutingRules.MayJoin(request, new CarriedSession(last.UserId, last.Headers, connection.MayBeShared), options.Policy))
        {
            var joined = await store.FindSessionAsync(last.SessionId, cancellation);
            if (joined.Error is { } error) return error;
            return facts with { Joined = joined.Value };
        }

        return facts;
    }

    // A client that goes away must not cut a claim in two: a session in the store that nobody launches.
    private async Task<Result<Place>> OpenAsync(RouteRequest request, RoutingDecision.Open open)
    {
        var session = new NewSession(Guid.NewGuid(), SessionNames.Draw(open), platform.Name, open.Team.Team, open.Team.Environment, request.Key.UserId, options.Self.Id);
        var claim = await store.OpenAsync(session, request.Key, options.Limits, request.Caller, CancellationToken.None);
        if (!claim.TryGet(out var claimed, out var error)) return error;
        if (claimed.Won) starter.Begin(claimed.Bound.Session);
        return new Place.Bound(claimed.Bound);
    }

    private async Task<Result<Place>> BindAsync(RouteRequest request, RoutingDecision.Bind bind)
    {
        var claim = await store.BindAsync(request.Key, bind.SessionId, bind.Via, request.Caller, CancellationToken.None);
        return claim.TryGet(out var claimed, out var error) ? new Place.Bound(claimed.Bound) : error;
    }
}
