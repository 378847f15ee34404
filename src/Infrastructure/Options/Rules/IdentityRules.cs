namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>A header that nobody is trusted with, or peers trusted with none, would look like protection.</summary>
internal static class IdentityRules
{
    private const string Header = "identity.header";
    private const string Peers = "identity.trusted_peers";
    private const string Enforce = "identity.enforce";

    /// <summary>What is appended to messages counts as parked, so some must be allowed.</summary>
    private const int LeastParkedBytes = 65_536;

    public static void Check(RuleContext context)
    {
        var (identity, relay) = (context.Options.Identity, context.Options.Relay);
        var hasHeader = identity.Header.Length > 0;
        var hasPeers = identity.TrustedPeers.Count > 0;
        if (hasHeader && !hasPeers) context.Refuse(Header, $"nobody would be believed; list the proxies that set this header in {Peers}.");
        if (hasPeers && !hasHeader) context.Refuse(Peers, $"they are trusted with no header; name it in {Header}.");
        if (!identity.Enforce) return;
        if (!hasHeader && !hasPeers) context.Refuse(Enforce, $"no call could have a user; set {Header} and {Peers} too.");
        if (relay.ParkedBytesPerConnection < LeastParkedBytes)
            context.Refuse("relay.parked_bytes_per_connection", $"{Enforce} adds to each message, and that counts here; allow at least {LeastParkedBytes}.");
    }
}
