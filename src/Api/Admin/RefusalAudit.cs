using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;

namespace SparkGateway.Api.Admin;

/// <summary>Who was refused here stands in the audit: requests without a valid token, and changes that were not made.</summary>
internal static class RefusalAudit
{
    private const int LongestPath = 300;

    public static async Task RecordAsync(HttpContext context, GatewayError error, Caller caller)
    {
        var path = context.Request.Path.ToString();
        var request = $"{context.Request.Method} {(path.Length > LongestPath ? path[..LongestPath] : path)}";

        // A client that goes away at once must not leave out its own refusal.
        await context.RequestServices.GetRequiredService<IMediator>().Send(new DenyCall.Request(error, 1, caller, request), CancellationToken.None);
    }
}
