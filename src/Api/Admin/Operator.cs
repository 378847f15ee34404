using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Security;

namespace SparkGateway.Api.Admin;

/// <summary>Who calls the admin API: known by the token, and by a name that nobody checks.</summary>
internal static class Operator
{
    /// <summary>The person behind a token that several share.</summary>
    public const string AsHeader = "x-spark-gateway-as";

    private const int LongestName = 64;
    private const int LongestAgent = 200;

    public static Result<Caller> Of(HttpContext context, AdminTokens tokens)
    {
        if (tokens.NameOf(context.Request.Headers.Authorization) is not { } name)
        {
            return new GatewayError(ErrorCode.Unauthenticated, Blame.Client,
                "This needs an operator's token: send the header 'authorization: Bearer TOKEN' with a token of the gateway's admin.token_file (by default state_dir/admin.tokens).");
        }

        var person = context.Request.Headers[AsHeader].ToString();
        if (person.Length > LongestName || person.Any(letter => letter is < ' ' or > '~'))
            return GatewayError.Invalid([new Fault(AsHeader, $"{AsHeader} must have at most {LongestName} printable ASCII characters.")]);
        return Unknown(context) with { User = person.Length == 0 ? name : $"{name} as {person} (unverified)" };
    }

    /// <summary>Somebody without a valid token.</summary>
    public static Caller Unknown(HttpContext context)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        return new Caller("", $"{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort}", agent.Length > LongestAgent ? agent[..LongestAgent] : agent);
    }
}
