using System.Security.Cryptography;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>The tokens that are in force; replaced as a whole when their file changes.</summary>
internal sealed class ClientTokens
{
    private TokenSet current = new([]);

    public TokenSet Current => Volatile.Read(ref current);

    public void Replace(TokenSet next) => Volatile.Write(ref current, next);
}

/// <summary>Answers whether a credential is one of these tokens, in a time that does not depend on which or on how much of it is right.</summary>
internal sealed class TokenSet(IReadOnlyList<ClientToken> tokens)
{
    private static ReadOnlySpan<byte> Scheme => "bearer "u8;

    /// <param name="authorization">The header's value: Bearer TOKEN.</param>
    public bool Knows(ReadOnlySpan<byte> authorization)
    {
        if (authorization.Length <= Scheme.Length || !System.Text.Ascii.EqualsIgnoreCase(authorization[..Scheme.Length], Scheme)) return false;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(authorization[Scheme.Length..], hash);
        var isKnown = false;
        foreach (var token in tokens) isKnown |= CryptographicOperations.FixedTimeEquals(hash, token.Hash);
        return isKnown;
    }
}
