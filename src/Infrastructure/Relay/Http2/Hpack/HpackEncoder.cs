namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// Writes fields that no table state is needed for: they mean the same on every connection. Each method returns the bytes
/// written; a destination that is too small is the caller's fault and throws.
/// </summary>
internal static class HpackEncoder
{
    private const byte WithoutIndexing = 0x00;
    private const byte NeverIndexed = 0x10;

    public static int LiteralLength(int nameLength, int valueLength) =>
        1 + IntegerLength(nameLength, 7) + nameLength + IntegerLength(valueLength, 7) + valueLength;

    public static int LiteralLengthOfIndexedName(int staticIndex, int valueLength) =>
        IntegerLength(staticIndex, 4) + IntegerLength(valueLength, 7) + valueLength;

    public static int WriteLiteral(Span<byte> destination, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Write(destination, WithoutIndexing, name, value);

    /// <summary>The name is that of the static entry.</summary>
    public static int WriteLiteral(Span<byte> destination, int staticIndex, ReadOnlySpan<byte> value) =>
        Write(destination, WithoutIndexing, staticIndex, value);

    /// <summary>For secrets: no hop may ever index the field.</summary>
    public static int WriteLiteralNeverIndexed(Span<byte> destination, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Write(destination, NeverIndexed, name, value);

    public static int WriteLiteralNeverIndexed(Span<byte> destination, int staticIndex, ReadOnlySpan<byte> value) =>
        Write(destination, NeverIndexed, staticIndex, value);

    public static int WriteIndexed(Span<byte> destination, int staticIndex) => WriteInteger(destination, 0x80, 7, staticIndex);

    private static int Write(Span<byte> destination, byte kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        destination[0] = kind;
        var written = 1;
        written += WriteString(destination[written..], name);
        return written + WriteString(destination[written..], value);
    }

    private static int Write(Span<byte> destination, byte kind, int staticIndex, ReadOnlySpan<byte> value)
    {
        var written = WriteInteger(destination, kind, 4, staticIndex);
        return written + WriteString(destination[written..], value);
    }

    private static int WriteString(Span<byte> destination, ReadOnlySpan<byte> text)
    {
        var written = WriteInteger(destination, 0, 7, text.Length);
        text.CopyTo(destination[written..]);
        return written + text.Length;
    }

    private static int WriteInteger(Span<byte> destination, byte kind, int prefixBits, int value)
    {
        var prefix = (1 << prefixBits) - 1;
        if (value < prefix)
        {
            destination[0] = (byte)(kind | value);
            return 1;
        }

        destination[0] = (byte)(kind | prefix);
        var written = 1;
        for (value -= prefix; value >= 0x80; value >>= 7) destination[written++] = (byte)(value | 0x80);
        destination[written++] = (byte)value;
        return written;
    }

    private static int IntegerLength(int value, int prefixBits)
    {
        var prefix = (1 << prefixBits) - 1;
        if (value < prefix) return 1;
        var length = 2;
        for (value -= prefix; value >= 0x80; value >>= 7) length++;
        return length;
    }
}
