using System.Buffers;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// Decodes the header blocks of one direction of one connection, in order (RFC 7541). A list above its limits is read to
/// the end all the same, since the table must follow the peer's, but the sink hears no more of it.
/// </summary>
/// <param name="maxTableBytes">The SETTINGS_HEADER_TABLE_SIZE that the peer was told.</param>
/// <param name="maxListBytes">Names, values and 32 for each field.</param>
/// <param name="maxFields">Fields of one list.</param>
internal sealed class HpackDecoder(int maxTableBytes, int maxListBytes, int maxFields)
{
    private const int MaxSizeUpdates = 2;

    /// <summary>A refused list is followed up to so many times its limit: one byte can stand for a whole table entry, so that a small block costs as much as megabytes.</summary>
    private const int MaxExcess = 4;

    private byte[]? scratch;
    private int scratchNeeded;
    private long listBytes;
    private int fields;
    private HpackError refusal;

    public HpackDynamicTable Table { get; } = new(maxTableBytes);

    public HpackError Decode(ReadOnlySpan<byte> block, IHeaderSink sink)
    {
        // All strings of one field come from the block, but for a name that is copied out of the table.
        scratchNeeded = HpackHuffman.MaxDecodedLength(block.Length) + maxTableBytes;
        listBytes = 0;
        fields = 0;
        refusal = HpackError.None;
        try
        {
            var reader = new HpackReader(block);
            var error = ReadSizeUpdates(ref reader);
            while (error == HpackError.None && !reader.IsAtEnd) error = ReadField(ref reader, sink);
            return error == HpackError.None ? refusal : error;
        }
        finally
        {
            if (scratch is not null) ArrayPool<byte>.Shared.Return(scratch);
            scratch = null;
        }
    }

    private HpackError ReadSizeUpdates(ref HpackReader reader)
    {
        for (var updates = 0; !reader.IsAtEnd && IsSizeUpdate(reader.Next); updates++)
        {
            if (updates == MaxSizeUpdates) return HpackError.BadTableSize;
            var error = reader.ReadInteger(5, out var size);
            if (error != HpackError.None) return error;
            if (!Table.TrySetLimit(size)) return HpackError.BadTableSize;
        }

        return HpackError.None;
    }

    private HpackError ReadField(ref HpackReader reader, IHeaderSink sink)
    {
        var first = reader.Next;
        if (first >= 0x80) return ReadIndexed(ref reader, sink);
        if (first >= 0x40) return ReadLiteral(ref reader, 6, isIndexing: true, sink);
        return IsSizeUpdate(first) ? HpackError.BadTableSize : ReadLiteral(ref reader, 4, isIndexing: false, sink);
    }

    private HpackError ReadIndexed(ref HpackReader reader, IHeaderSink sink)
    {
        var error = reader.ReadInteger(7, out var index);
        if (error != HpackError.None) return error;
        if (!IsKnown(index)) return HpackError.BadIndex;
        return index <= HpackStaticTable.Count ? Deliver(HpackStaticTable.Name(index), HpackStaticTable.Value(index), false, sink)
            : Deliver(Table.Name(Age(index)), Table.Value(Age(index)), false, sink);
    }

    private HpackError ReadLiteral(ref HpackReader reader, int prefixBits, bool isIndexing, IHeaderSink sink)
    {
        var isNeverIndexed = !isIndexing && (reader.Next & 0x10) != 0;
        var error = reader.ReadInteger(prefixBits, out var index);
        if (error != HpackError.None) return error;

        ReadOnlySpan<byte> name;
        var used = 0;
        if (index == 0)
        {
            error = ReadString(ref reader, ref used, out name);
            if (error != HpackError.None) return error;
        }
        else
        {
            if (!IsKnown(index)) return HpackError.BadIndex;
            name = index <= HpackStaticTable.Count ? HpackStaticTable.Name(index) : Table.Name(Age(index));
            if (isIndexing && index > HpackStaticTable.Count) name = CopyOut(name, ref used);
        }

        error = ReadString(ref reader, ref used, out var value);
        if (error != HpackError.None) return error;
        error = Deliver(name, value, isNeverIndexed, sink);
        if (isIndexing) Table.Insert(name, value);
        return error;
    }

    private HpackError ReadString(scoped ref HpackReader reader, scoped ref int used, out ReadOnlySpan<byte> text)
    {
        var error = reader.ReadString(out var isHuffman, out text);
        if (error != HpackError.None || !isHuffman) return error;
        var free = Scratch()[used..];
        var length = HpackHuffman.Decode(text, free);
        if (length < 0) return HpackError.BadHuffman;
        text = free[..length];
        used += length;
        return HpackError.None;
    }

    /// <summary>The entry that a new one takes its name from may be evicted by it: RFC 7541 section 4.4.</summary>
    private ReadOnlySpan<byte> CopyOut(ReadOnlySpan<byte> name, scoped ref int used)
    {
        var copy = Scratch().Slice(used, name.Length);
        name.CopyTo(copy);
        used += name.Length;
        return copy;
    }

    private HpackError Deliver(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed, IHeaderSink sink)
    {
        listBytes += (long)name.Length + value.Length + HpackDynamicTable.EntryOverhead;
        fields++;
        if (refusal != HpackError.None) return listBytes > (long)maxListBytes * MaxExcess ? HpackError.Unbounded : HpackError.None;
        if (listBytes > maxListBytes) refusal = HpackError.ListTooLarge;
        else if (fields > maxFields) refusal = HpackError.TooManyFields;
        else sink.OnHeader(name, value, isNeverIndexed);
        return HpackError.None;
    }

    private Span<byte> Scratch() => scratch ??= ArrayPool<byte>.Shared.Rent(scratchNeeded);

    private bool IsKnown(int index) => index > 0 && index <= HpackStaticTable.Count + Table.Count;

    private static int Age(int index) => index - HpackStaticTable.Count - 1;

    private static bool IsSizeUpdate(byte first) => (first & 0xe0) == 0x20;
}
