using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Who may call: asked for every call of the service, before anything is read of its body.</summary>
internal sealed class AccessRules(ClientTokens? tokens)
{
    private static readonly GatewayError NoToken = Refusal(
        "This gateway takes calls with a token only. Put it into the connection string, sc://HOST:PORT/;token=TOKEN, or send the header 'authorization: Bearer TOKEN'; whoever runs the gateway gives tokens out.");

    private static readonly GatewayError UnknownToken = Refusal(
        "The token of this call is none that this gateway knows; it may have been replaced. Put a valid one into the connection string, sc://HOST:PORT/;token=TOKEN; whoever runs the gateway gives tokens out.");

    /// <summary>Why a call with these headers is refused; null: it may go on.</summary>
    public GatewayError? Refuses(GatewayHeaders headers)
    {
        if (tokens is not null && !headers.ShowsOneOf(tokens.Current)) return headers.Authorization.Length == 0 ? NoToken : UnknownToken;
        return null;
    }

    private static GatewayError Refusal(string text) => new(ErrorCode.Unauthenticated, Blame.Client, text);
}
