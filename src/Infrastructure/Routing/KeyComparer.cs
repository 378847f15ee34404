using System.Buffers;
using System.Text;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Routing;

/// <summary>A client session key as a message holds it.</summary>
internal readonly ref struct KeyUtf8(ReadOnlySpan<byte> userId, ReadOnlySpan<byte> clientSessionId)
{
    public ReadOnlySpan<byte> UserId { get; } = userId;

    public ReadOnlySpan<byte> ClientSessionId { get; } = clientSessionId;
}

/// <summary>Client session keys by their UTF-8 bytes, so that a lookup needs no string.</summary>
internal sealed class KeyComparer : IEqualityComparer<ClientSessionKey>, IAlternateEqualityComparer<KeyUtf8, ClientSessionKey>
{
    public static readonly KeyComparer Instance = new();

    private const int StackBytes = 256;

    private KeyComparer()
    {
    }

    public bool Equals(ClientSessionKey x, ClientSessionKey y) =>
        string.Equals(x.ClientSessionId, y.ClientSessionId, StringComparison.Ordinal) && string.Equals(x.UserId, y.UserId, StringComparison.Ordinal);

    public bool Equals(KeyUtf8 alternate, ClientSessionKey other) =>
        SameText(alternate.ClientSessionId, other.ClientSessionId) && SameText(alternate.UserId, other.UserId);

    public int GetHashCode(KeyUtf8 alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate.UserId);

        // Keeps ("ab", "c") apart from ("a", "bc").
        hash.Add(alternate.UserId.Length);
        hash.AddBytes(alternate.ClientSessionId);
        return hash.ToHashCode();
    }

    public int GetHashCode(ClientSessionKey obj)
    {
        var most = Encoding.UTF8.GetMaxByteCount(obj.UserId.Length) + Encoding.UTF8.GetMaxByteCount(obj.ClientSessionId.Length);
        var rented = most > StackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        var bytes = rented ?? stackalloc byte[StackBytes];
        var user = Encoding.UTF8.GetBytes(obj.UserId, bytes);
        var session = Encoding.UTF8.GetBytes(obj.ClientSessionId, bytes[user..]);
        var hash = GetHashCode(new KeyUtf8(bytes[..user], bytes.Slice(user, session)));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    public ClientSessionKey Create(KeyUtf8 alternate) =>
        new(Encoding.UTF8.GetString(alternate.UserId), Encoding.UTF8.GetString(alternate.ClientSessionId));

    private static bool SameText(ReadOnlySpan<byte> utf8, string text)
    {
        if (Ascii.Equals(utf8, text)) return true;
        if (Ascii.IsValid(utf8)) return false;

        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var rented = most > StackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        var bytes = rented ?? stackalloc byte[StackBytes];
        var isSame = utf8.SequenceEqual(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return isSame;
    }
}
