namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// RFC 7541 appendix B. The code is canonical (codes of one length count upwards in the order of their symbols, each
/// length goes on where the shorter one ended), so the lengths alone give all of it.
/// </summary>
internal static class HpackHuffman
{
    private const int Eos = 256;
    private const int LongestCode = 30;
    private const int FirstStep = 8;

    private static readonly ushort[] Symbols = new ushort[Eos + 1];
    private static readonly uint[] LastOfLength = new uint[LongestCode + 1];
    private static readonly int[] SymbolOffset = new int[LongestCode + 1];

    /// <summary>By the next 8 bits: symbol and length of a code that fits into them, else 0. Nearly all text is of such codes.</summary>
    private static readonly ushort[] Short = new ushort[1 << FirstStep];

    static HpackHuffman()
    {
        uint code = 0;
        var order = 0;
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            SymbolOffset[length] = order - (int)code;
            for (var symbol = 0; symbol <= Eos; symbol++)
            {
                if (Lengths[symbol] != length) continue;
                Symbols[order++] = (ushort)symbol;
                if (length <= FirstStep)
                    Short.AsSpan((int)code << (FirstStep - length), 1 << (FirstStep - length)).Fill((ushort)((symbol << 8) | length));
                code++;
            }

            // Left-aligned and filled up with ones; a length without codes repeats the end of the one before.
            LastOfLength[length] = code == 0 ? 0 : (uint)(((ulong)code << (32 - length)) - 1);
        }
    }

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
        7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
        23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
        21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ];

    /// <summary>No code is shorter than 5 bits.</summary>
    public static int MaxDecodedLength(int encoded) => (int)(encoded * 8L / 5);

    /// <summary>Bytes written, or -1 if <paramref name="encoded"/> is not a valid string.</summary>
    /// <param name="destination">At least <see cref="MaxDecodedLength"/>.</param>
    public static int Decode(ReadOnlySpan<byte> encoded, Span<byte> destination)
    {
        ulong held = 0;
        var bits = 0;
        var read = 0;
        var written = 0;
        while (true)
        {
            while (bits <= 56 && read < encoded.Length)
            {
                held = (held << 8) | encoded[read++];
                bits += 8;
            }

            if (bits == 0) return written;

            // Past the end the window is filled up with ones, as the padding is.
            var window = bits >= 32 ? (uint)(held >> (bits - 32)) : (uint)(held << (32 - bits)) | (uint.MaxValue >> bits);
            int entry = Short[window >> (32 - FirstStep)];
            var length = entry & 0xff;
            var symbol = entry >> 8;
            if (length == 0) (symbol, length) = Long(window);

            if (length > bits) return bits < 8 && window == uint.MaxValue ? written : -1;
            if (symbol == Eos) return -1;
            destination[written++] = (byte)symbol;
            bits -= length;
        }
    }

    private static (int Symbol, int Length) Long(uint window)
    {
        var length = FirstStep + 1;
        while (window > LastOfLength[length]) length++;
        return (Symbols[SymbolOffset[length] + (int)(window >> (32 - length))], length);
    }
}
