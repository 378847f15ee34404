using System.Buffers;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>A header block in the making, in one rented array that is kept from block to block until it is released.</summary>
internal sealed class HeaderBlockWriter : IDisposable
{
    private const int FirstBytes = 512;

    private byte[] buffer = [];
    private int length;

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, length);

    /// <summary>The size of the list as peers count it against SETTINGS_MAX_HEADER_LIST_SIZE.</summary>
    public int ListBytes { get; private set; }

    public void Reset()
    {
        length = 0;
        ListBytes = 0;
    }

    public void Append(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        length += HpackEncoder.WriteLiteral(Room(HpackEncoder.LiteralLength(name.Length, value.Length)), name, value);
        Count(name.Length, value.Length);
    }

    /// <summary>The name is that of the static entry, which is shorter than to spell it out.</summary>
    public void Append(int staticIndex, ReadOnlySpan<byte> value)
    {
        length += HpackEncoder.WriteLiteral(Room(HpackEncoder.LiteralLengthOfIndexedName(staticIndex, value.Length)), staticIndex, value);
        Count(HpackStaticTable.Name(staticIndex).Length, value.Length);
    }

    public void Append(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        if (isNeverIndexed) AppendNeverIndexed(name, value);
        else Append(name, value);
    }

    /// <summary>For secrets: no hop may ever index the field.</summary>
    public void AppendNeverIndexed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        length += HpackEncoder.WriteLiteralNeverIndexed(Room(HpackEncoder.LiteralLength(name.Length, value.Length)), name, value);
        Count(name.Length, value.Length);
    }

    public void AppendNeverIndexed(int staticIndex, ReadOnlySpan<byte> value)
    {
        length += HpackEncoder.WriteLiteralNeverIndexed(Room(HpackEncoder.LiteralLengthOfIndexedName(staticIndex, value.Length)), staticIndex, value);
        Count(HpackStaticTable.Name(staticIndex).Length, value.Length);
    }

    /// <summary>A whole static entry, name and value.</summary>
    public void AppendIndexed(int staticIndex)
    {
        length += HpackEncoder.WriteIndexed(Room(1), staticIndex);
        Count(HpackStaticTable.Name(staticIndex).Length, HpackStaticTable.Value(staticIndex).Length);
    }

    /// <summary>Encoded fields. What they add to <see cref="ListBytes"/> only the caller knows.</summary>
    public void AppendRaw(ReadOnlySpan<byte> encoded, int listBytes = 0)
    {
        encoded.CopyTo(Room(encoded.Length));
        length += encoded.Length;
        ListBytes += listBytes;
    }

    public void Dispose() => Release();

    /// <summary>Gives the array back until the next block.</summary>
    public void Release()
    {
        Return(buffer);
        buffer = [];
        Reset();
    }

    private void Count(int nameLength, int valueLength) => ListBytes += nameLength + valueLength + HpackDynamicTable.EntryOverhead;

    private Span<byte> Room(int bytes)
    {
        if (buffer.Length - length < bytes)
        {
            var grown = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBytes, Math.Max(length + bytes, buffer.Length * 2)));
            Written.CopyTo(grown);
            Return(buffer);
            buffer = grown;
        }

        return buffer.AsSpan(length);
    }

    private static void Return(byte[] rented)
    {
        if (rented.Length > 0) ArrayPool<byte>.Shared.Return(rented);
    }
}
