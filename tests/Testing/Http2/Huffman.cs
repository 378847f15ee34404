using System.Collections.Frozen;

namespace SparkGateway.Testing.Http2;

/// <summary>
/// The Huffman code of RFC 7541, appendix B. It is canonical: codes of one length ascend with the symbol, and shorter
/// ones come first, so that the lengths say it all. Read bit by bit: slow, and hard to get wrong.
/// </summary>
internal static class Huffman
{
    private const int EndOfString = 256;

    /// <summary>One letter a symbol, from 0 to 256: A stands for a code of 5 bits, B for 6, up to Z for 30.</summary>
    private const string Lengths =
        "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJB" +
        "KABABABBBACCBBBABCBAABCCCCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVV" +
        "PORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWVZ";

    private static readonly FrozenDictionary<(int Length, uint Code), int> Symbols = Build();

    public static byte[] Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new List<byte>(bytes.Length * 2);
        var (code, length) = (0u, 0);
        foreach (var one in bytes)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                code = (code << 1) | (uint)((one >> bit) & 1);
                if (!Symbols.TryGetValue((++length, code), out var symbol)) continue;
                if (symbol == EndOfString) throw new FormatException("A Huffman string holds the end-of-string symbol.");
                text.Add((byte)symbol);
                (code, length) = (0, 0);
            }
        }

        var isPadding = length <= 7 && code == (1u << length) - 1;
        return isPadding ? [.. text] : throw new FormatException("A Huffman string ends inside a symbol.");
    }

    private static FrozenDictionary<(int Length, uint Code), int> Build()
    {
        var symbols = new Dictionary<(int Length, uint Code), int>();
        var (code, previous) = (0u, 0);
        foreach (var (length, symbol) in Lengths.Select((letter, symbol) => (letter - 'A' + 5, symbol)).Order())
        {
            if (symbols.Count > 0) code = (code + 1) << (length - previous);
            symbols.Add((length, code), symbol);
            previous = length;
        }

        return symbols.ToFrozenDictionary();
    }
}
