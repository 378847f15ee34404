using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.BindClone;

/// <summary>A driver has cloned a client session: the new id leads to the same driver.</summary>
public static class BindClone
{
    public sealed record Request(LiveBinding Parent, string NewClientSessionId, Caller Caller) : IRequest<Result<LiveBinding>>;

    internal sealed class Validator : AbstractValidator<Request>
    {
        private const int LongestId = 128;

        public Validator() => RuleFor(request => request.NewClientSessionId).Length(1, LongestId)
            .WithMessage($"The id of a cloned session must have 1 to {LongestId} characters.");
    }

    internal sealed class Handler(ISessionStore store, IRouteTable table) : IRequestHandler<Request, Result<LiveBinding>>
    {
        public async Task<Result<LiveBinding>> Handle(Request request, CancellationToken cancellationToken)
        {
            var route = request.Parent.Route;
            var key = request.Parent.Key with { ClientSessionId = request.NewClientSessionId };
            var bind = await store.BindAsync(key, route.Session.Id, BoundVia.Clone, request.Caller, cancellationToken);
            if (!bind.TryGet(out var claimed, out var error)) return error;
            if (claimed.Bound.Session.Id != route.Session.Id)
                return GatewayError.Invalid($"The id of the cloned session ({key.Prefix}...) belongs to another session already; clone again without naming an id.");

            var live = table.Bind(key, route, claimed.Bound.Binding.Via);
            if (claimed.Bound.Binding.State == BindingState.Released) live.MarkReleased();
            return live.Route.ClosedBy is { } closed ? closed : live;
        }
    }
}
