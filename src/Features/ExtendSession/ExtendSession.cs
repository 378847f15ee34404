using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ExtendSession;

/// <summary>An operator lets a session live on beyond its max TTL, within a bound.</summary>
public static class ExtendSession
{
    public sealed record Request(SessionRef Session, int Minutes, Caller Actor) : IRequest<Result<Session>>;

    internal sealed class Validator : AbstractValidator<Request>
    {
        public Validator(FeatureOptions options) => RuleFor(request => request.Minutes).InclusiveBetween(1, 60 * options.MaxExtensionHours)
            .WithMessage($"minutes must be 1 to {60 * options.MaxExtensionHours} (admin.max_extension_hours).").OverridePropertyName("minutes");
    }

    internal sealed class Handler(ISessionCatalog catalog, IOperatorStore store, FeatureOptions options) : IRequestHandler<Request, Result<Session>>
    {
        public async Task<Result<Session>> Handle(Request request, CancellationToken cancellationToken)
        {
            var found = await catalog.RequireAsync(request.Session, cancellationToken);
            return found.TryGet(out var session, out var error)
                ? await store.ExtendAsync(session.Id, request.Minutes, options.MaxExtensionHours, request.Actor, cancellationToken)
                : error;
        }
    }
}
