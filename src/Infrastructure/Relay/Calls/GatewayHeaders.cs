using System.Text;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Relay.Calls;

internal enum GatewayHeader
{
    None,
    SessionName,
    Namespace,
    Team,
    Environment,

    /// <summary>The user, as a trusted proxy says; goes to no driver.</summary>
    Identity,
}

/// <summary>The configured names of the gateway's own headers, as bytes.</summary>
/// <param name="identity">The header that names the user; empty: there is none.</param>
internal sealed class HeaderNames(HeaderNameOptions options, string identity = "")
{
    /// <summary>A name or team that is longer is invalid anyway; it is cut before it is kept.</summary>
    private const int MaxValue = 300;

    private readonly (byte[] Name, GatewayHeader Kind)[] names =
    [
        .. options.SessionName.Select(n => (Encoding.ASCII.GetBytes(n), GatewayHeader.SessionName)),
        .. options.Namespace.Select(n => (Encoding.ASCII.GetBytes(n), GatewayHeader.Namespace)),
        .. options.Team.Select(n => (Encoding.ASCII.GetBytes(n), GatewayHeader.Team)),
        .. options.Environment.Select(n => (Encoding.ASCII.GetBytes(n), GatewayHeader.Environment)),
        .. identity.Length > 0 ? [(Encoding.ASCII.GetBytes(identity), GatewayHeader.Identity)] : Array.Empty<(byte[], GatewayHeader)>(),
    ];

    private readonly byte[] configPrefix = Encoding.UTF8.GetBytes(options.ConfigPrefix);

    /// <summary>Configuration keys that begin so are read like headers.</summary>
    public ReadOnlySpan<byte> ConfigPrefix => configPrefix;

    /// <summary>The names under which the session goes out in response metadata.</summary>
    public ReadOnlySpan<byte> SessionName { get => names[0].Name; }

    public byte[] Namespace { get; } = Encoding.ASCII.GetBytes(options.Namespace[0]);

    public GatewayHeader Kind(ReadOnlySpan<byte> name)
    {
        foreach (var (known, kind) in names)
        {
            if (name.SequenceEqual(known)) return kind;
        }

        return GatewayHeader.None;
    }

    public static string Cut(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value[..Math.Min(value.Length, MaxValue)]);
}

/// <summary>
/// What a request's headers say to the gateway, apart from the call. Nearly all calls of a connection say the same, so
/// they share one of these, and whether it agrees with a binding is worked out once.
/// </summary>
internal sealed class GatewayHeaders
{
    public const int MostIdentityBytes = FirstMessage.MaxIdBytes;

    private Route? agreesWith;
    private TokenSet? comparedWith;
    private bool isKnown;

    public required RouteHints Hints { get; init; }

    /// <summary>The client's own credential, as sent; it goes into no text.</summary>
    public required byte[] Authorization { get; init; }

    /// <summary>The same, where it may go to a driver that the route says so of: not if it is meant for the gateway itself.</summary>
    public required byte[] DriverAuthorization { get; init; }

    /// <summary>The user that a trusted peer named, of at most <see cref="MostIdentityBytes"/> bytes; null: nobody did, or not once.</summary>
    public string? Identity { get; private init; }

    public byte[] IdentityUtf8
    {
        get;
        init
        {
            field = value;
            Identity = value.Length == 0 ? null : Encoding.UTF8.GetString(value);
        }
    } = [];

    public required string UserAgent { get; init; }

    public required string Authority { get; init; }

    /// <summary>A proxy stands between: x-forwarded-*, forwarded, via or x-envoy-*.</summary>
    public required bool IsForwarded { get; init; }

    /// <summary>An absent, an empty name and "new" contradict nothing; any other must be the route's.</summary>
    public bool AgreesWith(Route route)
    {
        if (ReferenceEquals(agreesWith, route)) return true;
        if (!Agree(Hints, route.Session)) return false;
        agreesWith = route;
        return true;
    }

    /// <summary>Whether the credential is one of the tokens: worked out once, until other tokens are in force.</summary>
    public bool ShowsOneOf(TokenSet tokens)
    {
        if (ReferenceEquals(comparedWith, tokens)) return isKnown;
        isKnown = tokens.Knows(Authorization);
        comparedWith = tokens;
        return isKnown;
    }

    public static bool Agree(RouteHints hints, Session session) =>
        !(hints.NamesSession && hints.SessionName != session.Name.Name)
        && !Differs(hints.Namespace, session.Name.Namespace) && !Differs(hints.Team, session.Team) && !Differs(hints.Environment, session.Environment);

    private static bool Differs(string? hint, string? actual) => !string.IsNullOrEmpty(hint) && actual is not null && hint != actual;
}
