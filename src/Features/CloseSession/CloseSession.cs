using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.CloseSession;

/// <summary>An operator ends a session whoever uses it; its clients read who did and why. An attached driver itself is left alone.</summary>
public static class CloseSession
{
    public sealed record Request(SessionRef Session, string Note, Caller Actor) : IRequest<Result<Closed>>;

    /// <param name="WasOver">It was ending or had ended before.</param>
    public sealed record Closed(Session Session, bool WasOver);

    internal sealed class Validator : AbstractValidator<Request>
    {
        // Clients read it in one line of an error.
        private const int LongestNote = 300;

        public Validator()
        {
            RuleFor(request => request.Note).MaximumLength(LongestNote)
                .WithMessage($"note must have at most {LongestNote} characters.").OverridePropertyName("note");
            RuleFor(request => request.Note).Must(note => !note.Any(char.IsControl))
                .WithMessage("note must be one line without control characters.").OverridePropertyName("note");
        }
    }

    internal sealed class Handler(ISessionCatalog catalog, SessionEnder ender) : IRequestHandler<Request, Result<Closed>>
    {
        public async Task<Result<Closed>> Handle(Request request, CancellationToken cancellationToken)
        {
            var found = await catalog.RequireAsync(request.Session, cancellationToken);
            if (!found.TryGet(out var session, out var error)) return error;

            var detail = request.Note.Trim() is { Length: > 0 } note ? $"{request.Actor.User}: {note}" : request.Actor.User;
            var end = await EndAsync(session, detail, request.Actor, cancellationToken);
            if (!end.TryGet(out var ended, out var unended)) return unended;
            if (ended is not null) return new Closed(ended, WasOver: false);

            var now = await catalog.RequireAsync(SessionRef.To(session.Id), cancellationToken);
            return now.TryGet(out var over, out var unread) ? new Closed(over, WasOver: true) : unread;
        }

        /// <summary>Null: it was over. The clients of a driver that serves are told on every replica before it goes; a start is cut off, an attached driver let go.</summary>
        private async Task<Result<Session?>> EndAsync(Session session, string detail, Caller actor, CancellationToken cancellation)
        {
            if (session is { State: SessionState.Ready, Kind: SessionKind.OnDemand })
                return await ender.RetireAsync(session.Id, EndReason.ClosedByOperator, detail, new EndCondition.Told(actor), cancellation);
            return session.IsLive
                ? await ender.EndAsync(session.Id, EndReason.ClosedByOperator, detail, actor, "", cancellation)
                : Result<Session?>.Ok(null);
        }
    }
}
