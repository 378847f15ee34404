namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>The primitives of RFC 7541 section 5, read from one header block.</summary>
internal ref struct HpackReader(ReadOnlySpan<byte> block)
{
    private const int MaxContinuations = 5;

    private ReadOnlySpan<byte> rest = block;

    public readonly bool IsAtEnd => rest.IsEmpty;

    /// <summary>The byte that begins the next field. Only before the end.</summary>
    public readonly byte Next => rest[0];

    public HpackError ReadInteger(int prefixBits, out int value)
    {
        value = 0;
        if (rest.IsEmpty) return HpackError.Truncated;
        var prefix = (1 << prefixBits) - 1;
        long sum = rest[0] & prefix;
        var used = 1;
        if (sum == prefix)
        {
            byte part;
            do
            {
                if (used > MaxContinuations) return HpackError.BadInteger;
                if (used == rest.Length) return HpackError.Truncated;
                part = rest[used];
                sum += (long)(part & 0x7f) << (7 * (used - 1));
                used++;
            }
            while (part >= 0x80);
        }

        if (sum > int.MaxValue) return HpackError.BadInteger;
        value = (int)sum;
        rest = rest[used..];
        return HpackError.None;
    }

    public HpackError ReadString(out bool isHuffman, out ReadOnlySpan<byte> text)
    {
        text = default;
        isHuffman = !rest.IsEmpty && rest[0] >= 0x80;
        var error = ReadInteger(7, out var length);
        if (error != HpackError.None) return error;
        if (length > rest.Length) return HpackError.Truncated;
        text = rest[..length];
        rest = rest[length..];
        return HpackError.None;
    }
}
