using System.Text;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

/// <summary>Copies what it is given, one character for each byte.</summary>
internal sealed class HpackRecorder : IHeaderSink
{
    public List<(string Name, string Value)> Fields { get; } = [];

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed) =>
        Fields.Add((Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(value)));
}

internal sealed class HpackCounter : IHeaderSink
{
    public long Fields { get; private set; }

    public long Bytes { get; private set; }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        Fields++;
        Bytes += name.Length + value.Length;
        foreach (var octet in name) Bytes += octet >> 8;
        foreach (var octet in value) Bytes += octet >> 8;
    }
}

/// <summary>Builds blocks byte by byte, all representations, independent of the encoder under test.</summary>
internal sealed class HpackBlock
{
    private readonly List<byte> bytes = [];

    public int Length => bytes.Count;

    public byte[] ToArray() => [.. bytes];

    public HpackBlock Raw(params byte[] raw)
    {
        bytes.AddRange(raw);
        return this;
    }

    public HpackBlock SizeUpdate(int size) => Integer(0x20, 5, size);

    public HpackBlock Indexed(int index) => Integer(0x80, 7, index);

    public HpackBlock Indexing(string name, string value, bool huffman = false) => Integer(0x40, 6, 0).Text(name, huffman).Text(value, huffman);

    public HpackBlock Indexing(int index, string value, bool huffman = false) => Integer(0x40, 6, index).Text(value, huffman);

    public HpackBlock Plain(string name, string value, bool huffman = false) => Integer(0x00, 4, 0).Text(name, huffman).Text(value, huffman);

    public HpackBlock Plain(int index, string value, bool huffman = false) => Integer(0x00, 4, index).Text(value, huffman);

    public HpackBlock Never(string name, string value, bool huffman = false) => Integer(0x10, 4, 0).Text(name, huffman).Text(value, huffman);

    public HpackBlock Text(string text, bool huffman)
    {
        var octets = Encoding.Latin1.GetBytes(text);
        if (huffman) octets = HpackReferenceHuffman.Encode(octets);
        return Integer(huffman ? 0x80 : 0, 7, octets.Length).Raw(octets);
    }

    public HpackBlock Integer(int kind, int prefixBits, int value)
    {
        var prefix = (1 << prefixBits) - 1;
        if (value < prefix) return Raw((byte)(kind | value));
        Raw((byte)(kind | prefix));
        for (value -= prefix; value >= 128; value /= 128) Raw((byte)((value % 128) + 128));
        return Raw((byte)value);
    }
}

internal static class HpackTesting
{
    public static HpackDecoder Decoder(int table = 4096, int list = 1 << 20, int fields = 10_000) => new(table, list, fields);

    public static HpackError Decode(this HpackDecoder decoder, HpackBlock block) => decoder.Decode(block.ToArray(), new HpackRecorder());

    public static List<(string Name, string Value)> Fields(this HpackDecoder decoder, HpackBlock block) => decoder.Fields(block.ToArray());

    public static List<(string Name, string Value)> Fields(this HpackDecoder decoder, byte[] block)
    {
        var sink = new HpackRecorder();
        Assert.Equal(HpackError.None, decoder.Decode(block, sink));
        return sink.Fields;
    }

    /// <summary>Newest first.</summary>
    public static List<(string Name, string Value)> Entries(this HpackDynamicTable table) =>
        [.. Enumerable.Range(0, table.Count).Select(age => (Encoding.Latin1.GetString(table.Name(age)), Encoding.Latin1.GetString(table.Value(age))))];
}
