using System.Buffers;
using System.Text;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>The little of the protobuf wire format that the relay reads and writes.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> bytes)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int LengthDelimited = 2;
    public const int Fixed32 = 5;

    private ReadOnlySpan<byte> rest = bytes;

    public readonly ReadOnlySpan<byte> Rest => rest;

    public readonly bool IsAtEnd => rest.IsEmpty;

    public ProtoRead ReadVarint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10; i++)
        {
            if (i >= rest.Length) return ProtoRead.Truncated;
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80) continue;
            rest = rest[(i + 1)..];
            return ProtoRead.Ok;
        }

        return ProtoRead.Malformed;
    }

    public ProtoRead ReadTag(out int field, out int wireType)
    {
        var read = ReadVarint(out var tag);
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        if (read != ProtoRead.Ok) return read;
        return tag > uint.MaxValue || field == 0 ? ProtoRead.Malformed : ProtoRead.Ok;
    }

    /// <summary>A length-delimited field's content. Truncated leaves <paramref name="length"/> set.</summary>
    public ProtoRead ReadBytes(out ReadOnlySpan<byte> content, out ulong length)
    {
        content = default;
        var read = ReadVarint(out length);
        if (read != ProtoRead.Ok) return read;
        if (length > int.MaxValue) return ProtoRead.Malformed;
        if (length > (ulong)rest.Length) return ProtoRead.Truncated;
        content = rest[..(int)length];
        rest = rest[(int)length..];
        return ProtoRead.Ok;
    }

    public ProtoRead Skip(int wireType)
    {
        switch (wireType)
        {
            case Varint:
                return ReadVarint(out _);
            case LengthDelimited:
                return ReadBytes(out _, out _);
            case Fixed64:
            case Fixed32:
                var size = wireType == Fixed64 ? 8 : 4;
                if (rest.Length < size) return ProtoRead.Truncated;
                rest = rest[size..];
                return ProtoRead.Ok;
            default:
                return ProtoRead.Malformed;
        }
    }
}

internal enum ProtoRead
{
    Ok,
    Truncated,
    Malformed,
}

internal static class ProtoWriter
{
    public static void Varint(ArrayBufferWriter<byte> to, ulong value)
    {
        while (value >= 0x80)
        {
            to.GetSpan(1)[0] = (byte)(value | 0x80);
            to.Advance(1);
            value >>= 7;
        }

        to.GetSpan(1)[0] = (byte)value;
        to.Advance(1);
    }

    public static void VarintField(ArrayBufferWriter<byte> to, int field, ulong value)
    {
        Varint(to, (uint)(field << 3) | ProtoReader.Varint);
        Varint(to, value);
    }

    public static void BytesField(ArrayBufferWriter<byte> to, int field, ReadOnlySpan<byte> content)
    {
        Varint(to, (uint)(field << 3) | ProtoReader.LengthDelimited);
        Varint(to, (ulong)content.Length);
        to.Write(content);
    }

    public static void StringField(ArrayBufferWriter<byte> to, int field, string content) => BytesField(to, field, Encoding.UTF8.GetBytes(content));
}
