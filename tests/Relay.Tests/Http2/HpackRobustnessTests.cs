using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

public sealed class HpackRobustnessTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_BlockCutInsideAField_IsTruncated(bool huffman)
    {
        var block = new HpackBlock();
        HashSet<int> fieldEnds = [0];
        foreach (var append in Fields(huffman))
        {
            append(block);
            fieldEnds.Add(block.Length);
        }

        var bytes = block.ToArray();
        for (var length = 0; length <= bytes.Length; length++)
        {
            var error = HpackTesting.Decoder().Decode(bytes.AsSpan(0, length), new HpackCounter());
            Assert.Equal((length, fieldEnds.Contains(length) ? HpackError.None : HpackError.Truncated), (length, error));
        }
    }

    [Fact]
    public void Decode_RandomBytes_NeverThrowsAndKeepsItsBounds()
    {
        var random = new Random(7541);
        var bytes = new byte[96];
        var decoder = HpackTesting.Decoder(table: 256, list: 2048, fields: 20);
        for (var i = 0; i < 200_000; i++)
        {
            if (i % 50 == 0) decoder = HpackTesting.Decoder(random.Next(5) * 128, 2048, 20);
            var block = bytes.AsSpan(0, random.Next(bytes.Length));
            random.NextBytes(block);
            // Short lengths and small indexes, or nearly all blocks would break at their first byte.
            if (i % 2 == 0) foreach (ref var octet in block) octet &= 0xc7;
            CheckBounds(decoder, block);
        }
    }

    [Fact]
    public void Decode_ValidBlockWithOneByteChanged_NeverThrowsAndKeepsItsBounds()
    {
        var random = new Random(9113);
        var block = new HpackBlock();
        foreach (var append in Fields(huffman: true).Concat(Fields(huffman: false).Skip(1))) append(block);
        var valid = block.ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var changed = valid.AsSpan().ToArray();
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            CheckBounds(HpackTesting.Decoder(table: 4096, list: 2048, fields: 20), changed);
        }
    }

    [Fact]
    public void Decode_TypicalBlocks_AllocatesNothing()
    {
        var decoder = HpackTesting.Decoder(list: 32_768, fields: 200);
        var sink = new HpackCounter();
        decoder.Fields(Call(":path", "/spark.connect.SparkConnectService/ExecutePlan"));
        var repeated = new HpackBlock();
        for (var index = 69; index >= 62; index--) repeated.Indexed(index);
        byte[][] blocks =
        [
            repeated.ToArray(),
            new HpackBlock().Indexed(3).Plain(4, "/spark.connect.SparkConnectService/ReattachExecute", huffman: true).Never("authorization", "Bearer x").ToArray(),
            .. Enumerable.Range(0, 50).Select(i => Call(":path", $"/spark.connect.SparkConnectService/Method{i}").ToArray()),
        ];
        Run(decoder, sink, blocks, 1000);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Run(decoder, sink, blocks, 10_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(HpackError.None, error);
        Assert.Equal(0, allocated);
    }

    private static HpackError Run(HpackDecoder decoder, HpackCounter sink, byte[][] blocks, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var error = decoder.Decode(blocks[i % blocks.Length], sink);
            if (error != HpackError.None) return error;
        }

        return HpackError.None;
    }

    private static HpackBlock Call(string name, string path) => new HpackBlock()
        .Indexing(name, path, huffman: true)
        .Indexing(1, "gateway.example:15002", huffman: true)
        .Indexing("te", "trailers")
        .Indexing(31, "application/grpc", huffman: true)
        .Indexing(58, "grpc-python/1.85.1 grpc-c/54.0.0 (linux; chttp2)", huffman: true)
        .Indexing("grpc-accept-encoding", "identity, deflate, gzip", huffman: true)
        .Indexing("x-spark-session-id", "etl-orders", huffman: true)
        .Indexing("x-spark-team", "orders", huffman: true);

    private static void CheckBounds(HpackDecoder decoder, ReadOnlySpan<byte> block)
    {
        var sink = new HpackCounter();
        decoder.Decode(block, sink);
        Assert.InRange(sink.Fields, 0, 20);
        Assert.InRange(sink.Bytes + (32 * sink.Fields), 0, 2048);
        Assert.InRange(decoder.Table.Size, 0, decoder.Table.Limit);
    }

    private static IEnumerable<Action<HpackBlock>> Fields(bool huffman)
    {
        yield return block => block.SizeUpdate(4000);
        yield return block => block.Indexed(2);
        yield return block => block.Indexing("custom-name", "custom-value", huffman);
        yield return block => block.Indexing(62, "other", huffman);
        yield return block => block.Indexed(63);
        yield return block => block.Plain(31, "application/grpc", huffman);
        yield return block => block.Plain("long", new string('x', 300), huffman);
        yield return block => block.Never("authorization", "Bearer secret", huffman);
        yield return block => block.Plain("empty", "", huffman);
    }
}
