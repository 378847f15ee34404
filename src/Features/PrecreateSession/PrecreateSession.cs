using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.PrecreateSession;

/// <summary>Opens a session before its client comes, for clients that can send no header. Its driver starts at once; the first call with the id claims it.</summary>
public static class PrecreateSession
{
    /// <summary>Neither team nor environment: the defaults of the configuration.</summary>
    public sealed record Request(string? Team, string? Environment, Caller Actor) : IRequest<Result<Opened>>;

    /// <param name="ClientSessionId">Whoever knows it can use the session: shown whole here and never again.</param>
    public sealed record Opened(Session Session, string ClientSessionId);

    internal sealed class Validator : AbstractValidator<Request>
    {
        public Validator(FeatureOptions options)
        {
            RuleFor(request => request.Team).Must(team => SessionName.IsLabel(team!)).When(request => request.Team is not null)
                .WithMessage($"team must be {SessionName.LabelRule}.").OverridePropertyName("team");
            RuleFor(request => request.Environment).Must(name => SessionName.IsLabel(name!)).When(request => request.Environment is not null)
                .WithMessage($"environment must be {SessionName.LabelRule}.").OverridePropertyName("environment");
            RuleFor(request => request.Environment).NotNull().When(request => request.Team is not null)
                .WithMessage("team came without environment; name both, or neither for the defaults.").OverridePropertyName("environment");
            RuleFor(request => request.Team).NotNull().When(request => request.Environment is not null)
                .WithMessage("environment came without team; name both, or neither for the defaults.").OverridePropertyName("team");
            RuleFor(request => request).Must(_ => options.Policy.Default is not null).When(request => request is { Team: null, Environment: null })
                .WithMessage("Name team and environment: this gateway has no default for them (spark_connect.on_demand.default_team).").OverridePropertyName("team");
        }
    }

    internal sealed class Handler(IOperatorStore store, ISessionStarter starter, IDriverPlatform platform, FeatureOptions options) : IRequestHandler<Request, Result<Opened>>
    {
        public async Task<Result<Opened>> Handle(Request request, CancellationToken cancellationToken)
        {
            var clientSessionId = Guid.NewGuid().ToString("D");
            var asked = new RouteRequest
            {
                Key = new ClientSessionKey("", clientSessionId),
                Rpc = SparkRpc.Other,
                Headers = new RouteHints(null, null, request.Team, request.Environment),
                Caller = request.Actor,
            };
            switch (RoutingRules.Decide(asked, RoutingFacts.None, options.Policy))
            {
                case RoutingDecision.Refuse refuse:
                    return refuse.Error;
                case RoutingDecision.Open open:
                    return await OpenAsync(open, clientSessionId, request.Actor);
                case var other:
                    throw new InvalidOperationException($"No such decision: {other}");
            }
        }

        // An operator who goes away must not leave a session in the store that nobody launches.
        private async Task<Result<Opened>> OpenAsync(RoutingDecision.Open open, string clientSessionId, Caller actor)
        {
            var unclaimed = new UnclaimedSession(Guid.NewGuid(), SessionNames.Draw(open), platform.Name, open.Team.Team, open.Team.Environment, options.Self.Id, clientSessionId);
            var opened = await store.OpenUnclaimedAsync(unclaimed, options.Limits, actor, CancellationToken.None);
            if (!opened.TryGet(out var session, out var error)) return error;
            starter.Begin(session);
            return new Opened(session, clientSessionId);
        }
    }
}
