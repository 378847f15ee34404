using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

public sealed class HpackHuffmanTests
{
    [Fact]
    public void Decode_EachByteAlone_RoundTrips()
    {
        for (var octet = 0; octet < 256; octet++)
        {
            byte[] text = [(byte)octet];
            Assert.Equal(text, Decoded(HpackReferenceHuffman.Encode(text)));
        }
    }

    [Fact]
    public void Decode_EachPairOfBytes_RoundTrips()
    {
        for (var octet = 0; octet < 256; octet++)
        {
            byte[] text = [.. Enumerable.Range(0, 256).SelectMany(other => (byte[])[(byte)octet, (byte)other])];
            Assert.Equal(text, Decoded(HpackReferenceHuffman.Encode(text)));
        }
    }

    [Fact]
    public void Decode_ShortestCodes_FitsTheBoundExactly()
    {
        var text = new byte[800];
        Array.Fill(text, (byte)'0');
        var encoded = HpackReferenceHuffman.Encode(text);

        Assert.Equal(text.Length, HpackHuffman.MaxDecodedLength(encoded.Length));
        Assert.Equal(text, Decoded(encoded));
    }

    [Fact]
    public void Decode_Empty_IsEmpty() => Assert.Equal([], Decoded([]));

    [Theory]
    [InlineData(new int[0], "11111111")]
    [InlineData(new int[] { 'a' }, "11111111111")]
    [InlineData(new int[] { '&' }, "11111111")]
    [InlineData(new int[] { '&' }, "111111111111111111111111")]
    [InlineData(new int[] { 'a' }, "000")]
    [InlineData(new int[] { 'a' }, "110")]
    [InlineData(new int[] { 'a' }, "101")]
    [InlineData(new int[] { HpackReferenceHuffman.Eos }, "11")]
    [InlineData(new int[] { 'a', HpackReferenceHuffman.Eos, 'a' }, "")]
    [InlineData(new int[] { 'a' }, "1111111111111111111111111111111111111111111")]
    public void Decode_BadPaddingOrEos_IsRefused(int[] symbols, string tail)
    {
        var encoded = HpackReferenceHuffman.Encode(symbols, tail);

        Assert.Equal(-1, HpackHuffman.Decode(encoded, new byte[HpackHuffman.MaxDecodedLength(encoded.Length)]));
    }

    [Fact]
    public void Decode_PaddingOfUpToSevenOnes_IsTaken()
    {
        Assert.Equal("a"u8.ToArray(), Decoded(HpackReferenceHuffman.Encode(['a'], "111")));
        Assert.Equal("aaa"u8.ToArray(), Decoded(HpackReferenceHuffman.Encode(['a', 'a', 'a'], "1")));
        Assert.Equal("aaaaa"u8.ToArray(), Decoded(HpackReferenceHuffman.Encode(['a', 'a', 'a', 'a', 'a'], "1111111")));
    }

    private static byte[] Decoded(byte[] encoded)
    {
        var destination = new byte[HpackHuffman.MaxDecodedLength(encoded.Length)];
        var length = HpackHuffman.Decode(encoded, destination);
        Assert.True(length >= 0, Convert.ToHexString(encoded));
        return destination[..length];
    }
}
