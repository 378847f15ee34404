using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.RelayStream;

/// <summary>Calls that the relay or the admin API refused by itself: they go to the audit as the refusals of admission do.</summary>
public static class DenyCall
{
    /// <param name="Count">How many calls this stands for.</param>
    /// <param name="AdminRequest">Method and path of a request to the admin API; null: Spark Connect.</param>
    public sealed record Request(GatewayError Error, int Count, Caller Caller, string? AdminRequest = null) : IRequest<Result<bool>>;

    internal sealed class Handler(DenialAudit denials) : IRequestHandler<Request, Result<bool>>
    {
        public async Task<Result<bool>> Handle(Request request, CancellationToken cancellationToken)
        {
            ClientSessionKey? key = request.AdminRequest is null ? new ClientSessionKey(request.Caller.User, "") : null;
            await denials.RecordAsync(key, request.Error, request.Caller, cancellationToken, request.Count, request.AdminRequest);
            return true;
        }
    }
}
