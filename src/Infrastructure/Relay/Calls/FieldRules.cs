using System.Buffers;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// RFC 9113 section 8.2: which fields make a message malformed. A relay that passed them on would carry smuggled requests.
/// Blanks at the ends of a value are let pass: gRPC does not escape them, and grpc-message may end with one.
/// </summary>
internal static class FieldRules
{
    private static readonly SearchValues<byte> BadInName = SearchValues.Create(
        [.. Enumerable.Range(0, 0x21).Concat(Enumerable.Range('A', 26)).Append(':').Concat(Enumerable.Range(0x7f, 0x81)).Select(b => (byte)b)]);

    private static readonly SearchValues<byte> BadInValue = SearchValues.Create([0, (byte)'\r', (byte)'\n']);

    public static bool IsPseudo(ReadOnlySpan<byte> name) => !name.IsEmpty && name[0] == ':';

    public static bool IsValid(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        !name.IsEmpty && !(name[0] == ':' ? name[1..] : name).ContainsAny(BadInName)
        && !value.ContainsAny(BadInValue);

    /// <summary>Fields of HTTP/1.1 connections, which HTTP/2 has no place for.</summary>
    public static bool IsOfConnection(ReadOnlySpan<byte> name) => name.Length switch
    {
        7 => name.SequenceEqual("upgrade"u8),
        10 => name.SequenceEqual("connection"u8) || name.SequenceEqual("keep-alive"u8),
        16 => name.SequenceEqual("proxy-connection"u8),
        17 => name.SequenceEqual("transfer-encoding"u8),
        _ => false,
    };
}
