using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Who may call, and as whom: asked for every call of the service, before anything is read of its body.</summary>
internal sealed class AccessRules
{
    private static readonly GatewayError NoToken = Refusal(
        "This gateway takes calls with a token only. Put it into the connection string, sc://HOST:PORT/;token=TOKEN, or send the header 'authorization: Bearer TOKEN'; whoever runs the gateway gives tokens out.");

    private static readonly GatewayError UnknownToken = Refusal(
        "The token of this call is none that this gateway knows; it may have been replaced. Put a valid one into the connection string, sc://HOST:PORT/;token=TOKEN; whoever runs the gateway gives tokens out.");

    private readonly ClientTokens? tokens;
    private readonly GatewayError? noIdentity;

    /// <param name="tokens">Null: clients need not show one.</param>
    /// <param name="enforcedHeader">The header that names the user of every call; null: users are who they say they are.</param>
    public AccessRules(ClientTokens? tokens, string? enforcedHeader)
    {
        this.tokens = tokens;
        if (enforcedHeader is null) return;
        noIdentity = Refusal(
            $"This gateway takes the user from the header '{enforcedHeader}', once, with 1 to {GatewayHeaders.MostIdentityBytes} bytes of text, as a proxy sets it that the gateway trusts; this call came without. Connect through that proxy.");
    }

    /// <summary>The user of a call is the one that its headers name, whatever its messages say.</summary>
    public bool EnforcesIdentity => noIdentity is not null;

    /// <summary>Why a call with these headers is refused; null: it may go on.</summary>
    public GatewayError? Refuses(GatewayHeaders headers)
    {
        if (tokens is not null && !headers.ShowsOneOf(tokens.Current)) return headers.Authorization.Length == 0 ? NoToken : UnknownToken;
        return headers.Identity is null ? noIdentity : null;
    }

    private static GatewayError Refusal(string text) => new(ErrorCode.Unauthenticated, Blame.Client, text);
}
