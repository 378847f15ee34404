using System.Text;

namespace SparkGateway.Testing.Http2;

/// <summary>Name and value as bytes in Latin-1, so that every byte is kept.</summary>
public readonly record struct HeaderField(string Name, string Value)
{
    public static implicit operator HeaderField((string Name, string Value) pair) => new(pair.Name, pair.Value);

    public static HeaderField From((string Name, string Value) pair) => pair;
}

/// <summary>A decoded header block.</summary>
/// <param name="Raw">The block as it came, all fragments joined.</param>
/// <param name="UsesDynamicTable">Some field refers to an index above 61, or asks to be remembered.</param>
public sealed record HeaderList(IReadOnlyList<HeaderField> Fields, byte[] Raw, bool UsesDynamicTable)
{
    /// <summary>The first value of that name, or null.</summary>
    public string? this[string name] => Fields.Where(one => one.Name == name).Select(one => one.Value).FirstOrDefault();

    public IReadOnlyList<string> All(string name) => [.. Fields.Where(one => one.Name == name).Select(one => one.Value)];

    /// <summary>RFC 9113: name, value and 32 for each field.</summary>
    public int ListSize => Fields.Sum(one => one.Name.Length + one.Value.Length + 32);

    public override string ToString() => string.Join("; ", Fields.Select(one => $"{one.Name}={one.Value}"));
}

/// <summary>RFC 7541 in its plainest form, written for tests: one decoder for each direction of a connection.</summary>
public sealed class HeaderDecoder
{
    private const int TableSize = 4096;

    private readonly LinkedList<HeaderField> table = [];
    private int limit = TableSize;

    public HeaderList Decode(ReadOnlyMemory<byte> block)
    {
        var fields = new List<HeaderField>();
        var reader = new Reader(block);
        var dynamic = false;
        while (!reader.AtEnd)
        {
            var first = reader.Peek;
            if ((first & 0x80) != 0)
            {
                var index = reader.Integer(7);
                dynamic |= index > HeaderTable.Static.Length;
                fields.Add(Entry(index));
            }
            else if ((first & 0xe0) == 0x20)
            {
                limit = reader.Integer(5);
                if (limit > TableSize) throw new FormatException($"A table size of {limit} is above {TableSize}.");
                Evict();
            }
            else
            {
                var remembers = (first & 0xc0) == 0x40;
                var index = reader.Integer(remembers ? 6 : 4);
                dynamic |= remembers || index > HeaderTable.Static.Length;
                var name = index == 0 ? reader.String() : Entry(index).Name;
                HeaderField field = (name, reader.String());
                fields.Add(field);
                if (remembers) Remember(field);
            }
        }

        return new HeaderList(fields, block.ToArray(), dynamic);
    }

    private static int SizeOf(HeaderField field) => field.Name.Length + field.Value.Length + 32;

    private HeaderField Entry(int index)
    {
        if (index == 0) throw new FormatException("Index 0.");
        if (index <= HeaderTable.Static.Length) return HeaderTable.Static[index - 1];
        var at = index - HeaderTable.Static.Length - 1;
        return at < table.Count ? table.ElementAt(at) : throw new FormatException($"No entry {index} in a table of {table.Count}.");
    }

    private void Remember(HeaderField field)
    {
        table.AddFirst(field);
        Evict();
    }

    private void Evict()
    {
        while (table.Sum(SizeOf) > limit) table.RemoveLast();
    }

    private sealed class Reader(ReadOnlyMemory<byte> block)
    {
        private int at;

        public bool AtEnd => at == block.Length;

        public byte Peek => block.Span[at];

        public int Integer(int prefixBits)
        {
            var mask = (1 << prefixBits) - 1;
            var value = block.Span[at++] & mask;
            if (value < mask) return value;
            for (var shift = 0; ; shift += 7)
            {
                var next = block.Span[at++];
                value = checked(value + ((next & 0x7f) << shift));
                if ((next & 0x80) == 0) return value;
            }
        }

        public string String()
        {
            var isHuffman = (Peek & 0x80) != 0;
            var length = Integer(7);
            var bytes = block.Slice(at, length);
            at += length;
            return Encoding.Latin1.GetString(isHuffman ? Huffman.Decode(bytes.Span) : bytes.Span);
        }
    }
}

/// <summary>Literals without indexing and without Huffman: no state, so a block means the same anywhere.</summary>
public static class HeaderEncoder
{
    public static byte[] Encode(params IEnumerable<HeaderField> fields)
    {
        var block = new List<byte>();
        foreach (var (name, value) in fields)
        {
            block.Add(0x00);
            AddString(block, name);
            AddString(block, value);
        }

        return [.. block];
    }

    private static void AddString(List<byte> block, string text)
    {
        AddInteger(block, 7, text.Length);
        block.AddRange(Encoding.Latin1.GetBytes(text));
    }

    private static void AddInteger(List<byte> block, int prefixBits, int value)
    {
        var mask = (1 << prefixBits) - 1;
        if (value < mask)
        {
            block.Add((byte)value);
            return;
        }

        block.Add((byte)mask);
        for (value -= mask; value >= 0x80; value >>= 7) block.Add((byte)((value & 0x7f) | 0x80));
        block.Add((byte)value);
    }
}
