using System.Text;

namespace SparkGateway.Testing.Http2;

/// <summary>Protobuf by hand: a message is the sum of its fields.</summary>
public static class Proto
{
    public static byte[] Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public static byte[] Bytes(int field, ReadOnlySpan<byte> value) => [.. LengthHead(field, value.Length), .. value];

    /// <summary>Tag and length of a field whose bytes are sent apart.</summary>
    public static byte[] LengthHead(int field, int length) => [.. Varint((ulong)((field << 3) | 2)), .. Varint((ulong)length)];

    public static byte[] Number(int field, ulong value) => [.. Varint((ulong)(field << 3)), .. Varint(value)];

    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)((value & 0x7f) | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    /// <summary>The last length-delimited field of that number at the top level, or null.</summary>
    public static byte[]? Find(ReadOnlySpan<byte> message, int field) => FindAll(message, field) is [.., var last] ? last : null;

    /// <summary>All length-delimited fields of that number at the top level.</summary>
    public static IReadOnlyList<byte[]> FindAll(ReadOnlySpan<byte> message, int field)
    {
        var found = new List<byte[]>();
        while (message.Length > 0)
        {
            var tag = ReadVarint(ref message);
            switch (tag & 7)
            {
                case 0:
                    ReadVarint(ref message);
                    break;
                case 1:
                    message = message[8..];
                    break;
                case 2:
                    var length = (int)ReadVarint(ref message);
                    if ((int)(tag >> 3) == field) found.Add(message[..length].ToArray());
                    message = message[length..];
                    break;
                case 5:
                    message = message[4..];
                    break;
                default:
                    throw new FormatException($"Wire type {tag & 7}.");
            }
        }

        return found;
    }

    public static string? FindText(ReadOnlySpan<byte> message, int field) => Find(message, field) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static ulong ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0ul;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if ((next & 0x80) == 0) return value;
        }
    }
}
