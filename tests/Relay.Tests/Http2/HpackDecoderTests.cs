using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

public sealed class HpackDecoderTests
{
    [Theory]
    [InlineData("80", 4096, nameof(HpackError.BadIndex))]
    [InlineData("be", 4096, nameof(HpackError.BadIndex))]
    [InlineData("7e0161", 4096, nameof(HpackError.BadIndex))]
    [InlineData("0f2f0161", 4096, nameof(HpackError.BadIndex))]
    [InlineData("ff8080808000", 4096, nameof(HpackError.BadIndex))]
    [InlineData("ff808080808001", 4096, nameof(HpackError.BadInteger))]
    [InlineData("ffffffffff7f", 4096, nameof(HpackError.BadInteger))]
    [InlineData("007fffffffff7f", 4096, nameof(HpackError.BadInteger))]
    [InlineData("3fffffffff7f", 4096, nameof(HpackError.BadInteger))]
    [InlineData("0481ff", 4096, nameof(HpackError.BadHuffman))]
    [InlineData("008100", 4096, nameof(HpackError.BadHuffman))]
    [InlineData("00", 4096, nameof(HpackError.Truncated))]
    [InlineData("000261", 4096, nameof(HpackError.Truncated))]
    [InlineData("ff", 4096, nameof(HpackError.Truncated))]
    [InlineData("ffff", 4096, nameof(HpackError.Truncated))]
    [InlineData("3f", 4096, nameof(HpackError.Truncated))]
    [InlineData("3fe21f", 4096, nameof(HpackError.BadTableSize))]
    [InlineData("202020", 4096, nameof(HpackError.BadTableSize))]
    [InlineData("8220", 4096, nameof(HpackError.BadTableSize))]
    [InlineData("21", 0, nameof(HpackError.BadTableSize))]
    [InlineData("be", 0, nameof(HpackError.BadIndex))]
    [InlineData("4001610162be", 0, nameof(HpackError.BadIndex))]
    public void Decode_BrokenBlock_SaysWhatIsWrong(string hex, int table, string expected)
    {
        var sink = new HpackRecorder();

        Assert.Equal(expected, HpackTesting.Decoder(table).Decode(Convert.FromHexString(hex), sink).ToString());
    }

    [Theory]
    [InlineData("3fe11f82", 4096)]
    [InlineData("203fe11f82", 4096)]
    [InlineData("2082", 0)]
    public void Decode_SizeUpdatesAtTheStart_AreTaken(string hex, int limit)
    {
        var decoder = HpackTesting.Decoder(limit);

        Assert.Single(decoder.Fields(Convert.FromHexString(hex)));
        Assert.Equal(limit, decoder.Table.Limit);
    }

    [Fact]
    public void Decode_TableLargerThanTheDefault_IsUsedOnceThePeerAnnouncesIt()
    {
        var decoder = HpackTesting.Decoder(table: 65_536);
        Assert.Equal(4096, decoder.Table.Limit);
        var value = new string('v', 30_000);

        decoder.Fields(new HpackBlock().SizeUpdate(65_536).Indexing("n", value));

        Assert.Equal([("n", value)], decoder.Fields(new HpackBlock().Indexed(62)));
    }

    [Fact]
    public void Decode_SmallerTable_EvictsTheOldest()
    {
        var decoder = HpackTesting.Decoder();
        decoder.Fields(new HpackBlock().Indexing("a", "1").Indexing("b", "2").Indexing("c", "3"));

        decoder.Fields(new HpackBlock().SizeUpdate(2 * 34));
        Assert.Equal([("c", "3"), ("b", "2")], decoder.Table.Entries());

        decoder.Fields(new HpackBlock().SizeUpdate(0).SizeUpdate(4096));
        Assert.Equal(0, decoder.Table.Size);
    }

    [Fact]
    public void Decode_WithoutTable_AllocatesNoneAndGoesOn()
    {
        var decoder = HpackTesting.Decoder(table: 0);

        Assert.Equal([("n", "v"), (":method", "GET")], decoder.Fields(new HpackBlock().Indexing("n", "v").Indexed(2)));

        Assert.Equal(0, decoder.Table.AllocatedBytes);
    }

    [Fact]
    public void Decode_PeerThatNeverIndexes_CostsNoTable()
    {
        var decoder = HpackTesting.Decoder();
        decoder.Fields(new HpackBlock().Plain("n", "v", huffman: true).Never("authorization", "secret").Indexed(2));
        Assert.Equal(0, decoder.Table.AllocatedBytes);

        decoder.Fields(new HpackBlock().Indexing("n", "v"));
        Assert.InRange(decoder.Table.AllocatedBytes, 1, 1024);
    }

    [Fact]
    public void Decode_FieldLargerThanTheTable_EmptiesIt()
    {
        var decoder = HpackTesting.Decoder(table: 100);
        var value = new string('v', 100);

        Assert.Equal([("a", "1"), ("b", value)], decoder.Fields(new HpackBlock().Indexing("a", "1").Indexing("b", value)));

        Assert.Equal(0, decoder.Table.Count);
        Assert.Equal(HpackError.BadIndex, decoder.Decode(new HpackBlock().Indexed(62)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_NameOfAnEntryThatItsInsertionEvicts_Survives(bool huffman)
    {
        var decoder = HpackTesting.Decoder(table: 200);
        var name = new string('n', 90);
        decoder.Fields(new HpackBlock().Indexing("first", new string('x', 20)).Indexing(name, "old"));

        for (var i = 0; i < 20; i++)
        {
            var value = new string((char)('a' + i), 60 + i % 7);
            Assert.Equal([(name, value)], decoder.Fields(new HpackBlock().Indexing(62, value, huffman)));
            Assert.Equal([(name, value)], decoder.Table.Entries());
        }
    }

    [Theory]
    [InlineData(3 * 34, 100, nameof(HpackError.None), 3)]
    [InlineData((3 * 34) - 1, 100, nameof(HpackError.ListTooLarge), 2)]
    [InlineData(1000, 3, nameof(HpackError.None), 3)]
    [InlineData(1000, 2, nameof(HpackError.TooManyFields), 2)]
    public void Decode_ListAboveItsLimits_IsRefusedAndTheTableGoesOn(int list, int fields, string expected, int heard)
    {
        var decoder = HpackTesting.Decoder(list: list, fields: fields);
        var sink = new HpackRecorder();

        var error = decoder.Decode(new HpackBlock().Indexing("a", "1").Plain("b", "2").Indexing("c", "3").ToArray(), sink);

        Assert.Equal(expected, error.ToString());
        Assert.Equal(heard, sink.Fields.Count);
        Assert.Equal([("c", "3"), ("a", "1")], decoder.Fields(new HpackBlock().Indexed(62).Indexed(63)));
    }

    [Fact]
    public void Decode_BrokenAfterTheLimit_IsStillBroken()
    {
        var decoder = HpackTesting.Decoder(fields: 1);

        Assert.Equal(HpackError.BadIndex, decoder.Decode(new HpackBlock().Indexed(2).Indexed(2).Indexed(62)));
    }

    [Fact]
    public void Decode_LargeEntryRepeated_StopsAtTheLimit()
    {
        var decoder = HpackTesting.Decoder(list: 32_768);
        decoder.Fields(new HpackBlock().Indexing("bomb", new string('b', 4000)));
        var block = new byte[16_384];
        Array.Fill(block, (byte)0xbe);
        var sink = new HpackCounter();

        Assert.Equal(HpackError.ListTooLarge, decoder.Decode(block.AsSpan(0, 4 * 32_768 / 4036), sink));

        Assert.Equal(32_768 / 4036, sink.Fields);
        Assert.Equal(4096 / 4036, decoder.Table.Count);
        Assert.Single(decoder.Fields(new HpackBlock().Indexed(62)));
        Assert.Equal(HpackError.Unbounded, decoder.Decode(block, sink));
    }

    [Fact]
    public void Decode_SinkThatThrows_LeavesNothingRented()
    {
        var decoder = HpackTesting.Decoder();
        var block = new HpackBlock().Plain("n", "v", huffman: true).ToArray();

        Assert.Throws<InvalidOperationException>(() => { decoder.Decode(block, new Thrower()); });

        Assert.Equal([("n", "v")], decoder.Fields(block));
    }

    private sealed class Thrower : IHeaderSink
    {
        public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed) => throw new InvalidOperationException();
    }
}
