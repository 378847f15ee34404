using System.Security.Cryptography;
using System.Text;

namespace SparkGateway.Domain.Sessions;

/// <summary>
/// What a Spark client calls its session: the pair (user_id, session_id) that is in every request.
/// Without an identity provider this pair is the only credential, so it is never shown whole.
/// </summary>
/// <param name="UserId">user_context.user_id, field 2.1; may be empty.</param>
/// <param name="ClientSessionId">session_id, field 1; a UUID that the client invented.</param>
public readonly record struct ClientSessionKey(string UserId, string ClientSessionId)
{
    /// <summary>How much of the client session id logs, errors, metrics and the audit may show.</summary>
    public const int ShownCharacters = 8;

    public string Prefix => ClientSessionId.Length <= ShownCharacters ? ClientSessionId : ClientSessionId[..ShownCharacters];

    /// <summary>The store's key: SHA-256 over both parts, 32 bytes.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes($"{UserId.Length}:{UserId}:{ClientSessionId}"));

    public override string ToString() => $"{(UserId.Length == 0 ? "(no user)" : UserId)}/{Prefix}";
}
