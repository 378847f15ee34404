using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.EndSession;

/// <summary>Ends a session whoever uses it: in the store, then its calls, then its driver. May be repeated.</summary>
public static class EndSession
{
    /// <param name="LogTail">The driver's last log lines: told to the session's own clients, never stored.</param>
    public sealed record Request(Guid SessionId, EndReason Reason, string Detail, Caller Actor, string LogTail = "") : IRequest<Result<Session?>>;

    internal sealed class Validator : AbstractValidator<Request>
    {
        public Validator() => RuleFor(request => request.SessionId).NotEmpty().WithMessage("Name the session to end by its row id.");
    }

    /// <summary>The result is null where the session had ended before.</summary>
    internal sealed class Handler(SessionEnder ender, IRouteTable table, TimeProvider time) : IRequestHandler<Request, Result<Session?>>
    {
        public async Task<Result<Session?>> Handle(Request request, CancellationToken cancellationToken)
        {
            var end = await ender.EndAsync(request.SessionId, request.Reason, request.Detail, request.Actor, request.LogTail, cancellationToken);

            // A driver that is gone is gone, whether the store can be told or not: its clients must not wait for the store.
            if (end.Error is not null && request.Reason is EndReason.Crashed or EndReason.Lost or EndReason.Replaced && table.FindRoute(request.SessionId) is { } route)
            {
                var crashed = route.Session with { EndReason = request.Reason, EndDetail = request.Detail, EndedAt = time.GetUtcNow() };
                table.Close(request.SessionId, EndTexts.Ended(crashed, request.LogTail));
            }

            return end;
        }
    }
}
