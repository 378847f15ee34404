using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.RelayStream;

/// <summary>Calls that the relay refused by itself: they go to the audit as the refusals of admission do.</summary>
public static class DenyCall
{
    /// <param name="Count">How many calls this stands for.</param>
    public sealed record Request(GatewayError Error, int Count, Caller Caller) : IRequest<Result<bool>>;

    internal sealed class Handler(DenialAudit denials) : IRequestHandler<Request, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Request request, CancellationToken cancellationToken)
        {
            await denials.RecordAsync(new ClientSessionKey(request.Caller.User, ""), request.Error, request.Caller, cancellationToken, request.Count);
            return true;
        }
    }
}
