using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.RelayStream;

/// <summary>Admission of a call that the live table does not know: to which driver it goes, or why to none. Sees no byte of the body.</summary>
public static class RelayStream
{
    public sealed record Request(RouteRequest Route, ConnectionContext Connection) : IRequest<Result<Admission>>;

    internal sealed class Validator : AbstractValidator<Request>
    {
        // Far above what a user name or a UUID needs, far below what a store row should hold.
        private const int LongestId = 1_024;

        public Validator()
        {
            RuleFor(request => request.Route.Key.ClientSessionId.Length).LessThanOrEqualTo(LongestId)
                .WithMessage($"The session_id is longer than {LongestId} characters; Spark demands a UUID.");
            RuleFor(request => request.Route.Key.UserId.Length).LessThanOrEqualTo(LongestId)
                .WithMessage($"The user_id is longer than {LongestId} characters; set a shorter one in the connection string.");
        }
    }

    internal sealed class Handler(
        ISessionStore store,
        IRouteTable table,
        ISessionStarter starter,
        SessionClaim claim,
        DenialAudit denials,
        FeatureOptions options) : IRequestHandler<Request, Result<Admission>>
    {
        public async Task<Result<Admission>> Handle(Request request, CancellationToken cancellationToken)
        {
            var result = await AdmitAsync(request, cancellationToken);
            if (result.Error is { } error) await denials.RecordAsync(request.Route.Key, error, request.Route.Caller, cancellationToken);
            return result;
        }

        private async Task<Result<Admission>> AdmitAsync(Request request, CancellationToken cancellation)
        {
            var place = await FindOrClaimAsync(request, cancellation);
            if (!place.TryGet(out var found, out var error)) return error;
            return found switch
            {
                Place.Answered answered => answered.Admission,
                Place.Live live => new Admission.Forward(live.Binding),
                Place.Bound bound => await EnterAsync(request.Route, bound.Session, cancellation),
                _ => throw new InvalidOperationException($"No such place: {found}"),
            };
        }

        /// <summary>All decisions of one client connection come one after the other; no driver is waited for here.</summary>
        private async Task<Result<Place>> FindOrClaimAsync(Request request, CancellationToken cancellation)
        {
            await request.Connection.Gate.WaitAsync(cancellation);
            try
            {
                var route = request.Route;
                if (table.Find(route.Key) is { Route.ClosedBy: null } live)
                {
                    if (RoutingRules.Contradicts(route, live.Route.Session, options.Policy) is { } other) return other;
                    Remember(request, live.Route.Session);
                    return new Place.Live(live);
                }

                var read = await store.FindBindingAsync(route.Key, cancellation);
                if (!read.TryGet(out var bound, out var unread)) return unread;
                if (bound is null)
                {
                    var claimed = await claim.ClaimAsync(route, request.Connection, cancellation);
                    if (!claimed.TryGet(out var place, out var refused)) return refused;
                    if (place is not Place.Bound made) return place;
                    bound = made.Session;
                }

                if (IsOver(bound)) return Tombstone(route, bound);
                if (RoutingRules.Contradicts(route, bound.Session, options.Policy) is { } contradiction) return contradiction;
                Remember(request, bound.Session);
                return new Place.Bound(bound);
            }
            finally
            {
                request.Connection.Gate.Release();
            }
        }

        private async Task<Result<Admission>> EnterAsync(RouteRequest request, BoundSession bound, CancellationToken cancellation)
        {
            var wait = await starter.WaitReadyAsync(bound.Session, cancellation);
            if (!wait.TryGet(out var route, out var error)) return Missed(request, bound.Session, error);

            var live = table.Bind(request.Key, route, bound.Binding.Via);
            if (bound.Binding.State == BindingState.Released) live.MarkReleased();
            if (live.Route.ClosedBy is { } closed) return Missed(request, bound.Session, closed);
            return new Admission.Forward(live);
        }

        /// <summary>The session ended while the call waited, or never became ready.</summary>
        private static Result<Admission> Missed(RouteRequest request, Session session, GatewayError error) => error.Code switch
        {
            ErrorCode.Unavailable => error,
            _ when IsRelease(request.Rpc) => new Admission.AnswerOk(),

            // The text may hold lines of the driver's log.
            ErrorCode.StartFailed when session.OpenedBy != request.Key.UserId => EndTexts.StartFailed(session.Name),
            _ => error,
        };

        private static bool IsOver(BoundSession bound) => !bound.Session.IsLive || bound.Binding.State == BindingState.Ended;

        private static Result<Place> Tombstone(RouteRequest request, BoundSession bound)
        {
            // An error would keep the client's release thread busy for ten minutes.
            if (IsRelease(request.Rpc)) return new Place.Answered(new Admission.AnswerOk());
            if (bound.Binding.State == BindingState.Released) return EndTexts.Released(bound.Session);
            return bound.Binding.Via == BoundVia.PreCreated ? EndTexts.EndedPrecreated(bound.Session) : EndTexts.Ended(bound.Session);
        }

        private static bool IsRelease(SparkRpc rpc) => rpc is SparkRpc.ReleaseSession or SparkRpc.ReleaseExecute;

        private static void Remember(Request request, Session session)
        {
            var route = request.Route;
            if (session.Kind == SessionKind.OnDemand && route.Key.UserId.Length > 0)
                request.Connection.Last = new JoinedSession(session.Id, route.Key.UserId, route.Headers);
        }
    }
}
