using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

public sealed class HpackEncoderTests
{
    [Fact]
    public void WriteLiteral_Field_IsPlainAndUnindexed()
    {
        var bytes = new byte[64];

        Assert.Equal("00016E0176", Convert.ToHexString(bytes.AsSpan(0, HpackEncoder.WriteLiteral(bytes, "n"u8, "v"u8))));
        Assert.Equal("10016E0176", Convert.ToHexString(bytes.AsSpan(0, HpackEncoder.WriteLiteralNeverIndexed(bytes, "n"u8, "v"u8))));
        Assert.Equal("040176", Convert.ToHexString(bytes.AsSpan(0, HpackEncoder.WriteLiteral(bytes, HpackStaticTable.Path, "v"u8))));
        Assert.Equal("1F080176", Convert.ToHexString(bytes.AsSpan(0, HpackEncoder.WriteLiteralNeverIndexed(bytes, HpackStaticTable.Authorization, "v"u8))));
        Assert.Equal("88", Convert.ToHexString(bytes.AsSpan(0, HpackEncoder.WriteIndexed(bytes, HpackStaticTable.Status200))));
    }

    [Fact]
    public void LiteralLength_EachSize_IsExact()
    {
        foreach (var nameLength in (int[])[1, 126, 127, 128, 254, 255, 300])
        {
            foreach (var valueLength in (int[])[0, 1, 126, 127, 128, 254, 255, 16_509, 16_510, 16_511, 70_000])
            {
                var (name, value) = (new string('n', nameLength), new string('v', valueLength));
                var (nameBytes, valueBytes) = (name.Select(c => (byte)c).ToArray(), value.Select(c => (byte)c).ToArray());
                var exact = new byte[HpackEncoder.LiteralLength(nameLength, valueLength)];
                Assert.Equal(exact.Length, HpackEncoder.WriteLiteral(exact, nameBytes, valueBytes));
                Assert.Equal([(name, value)], HpackTesting.Decoder(0).Fields(exact));

                var indexed = new byte[HpackEncoder.LiteralLengthOfIndexedName(HpackStaticTable.UserAgent, valueLength)];
                Assert.Equal(indexed.Length, HpackEncoder.WriteLiteral(indexed, HpackStaticTable.UserAgent, valueBytes));
                Assert.Equal([("user-agent", value)], HpackTesting.Decoder(0).Fields(indexed));
            }
        }
    }

    [Theory]
    [InlineData(HpackStaticTable.Authority, ":authority", "")]
    [InlineData(HpackStaticTable.MethodPost, ":method", "POST")]
    [InlineData(HpackStaticTable.Path, ":path", "/")]
    [InlineData(HpackStaticTable.SchemeHttp, ":scheme", "http")]
    [InlineData(HpackStaticTable.Status200, ":status", "200")]
    [InlineData(16, "accept-encoding", "gzip, deflate")]
    [InlineData(HpackStaticTable.Authorization, "authorization", "")]
    [InlineData(HpackStaticTable.ContentType, "content-type", "")]
    [InlineData(HpackStaticTable.UserAgent, "user-agent", "")]
    [InlineData(HpackStaticTable.Count, "www-authenticate", "")]
    public void AppendIndexed_StaticEntry_IsThatField(int index, string name, string value)
    {
        using var writer = new HeaderBlockWriter();

        writer.AppendIndexed(index);

        Assert.Equal([(name, value)], HpackTesting.Decoder(0).Fields(writer.Written.ToArray()));
        Assert.Equal(name.Length + value.Length + 32, writer.ListBytes);
    }

    [Fact]
    public void Writer_AllKindsOfFields_AreDecodedInOrderAndCounted()
    {
        using var writer = new HeaderBlockWriter();
        for (var round = 0; round < 3; round++)
        {
            writer.Reset();
            writer.AppendIndexed(HpackStaticTable.MethodPost);
            writer.Append(HpackStaticTable.Path, "/p"u8);
            writer.Append("long"u8, new byte[2000]);
            writer.AppendNeverIndexed("token"u8, "t"u8);
            writer.AppendNeverIndexed(HpackStaticTable.Authorization, "a"u8);
            writer.AppendRaw([0x88], listBytes: 42);

            var fields = HpackTesting.Decoder(0).Fields(writer.Written.ToArray());

            Assert.Equal(
                [(":method", "POST"), (":path", "/p"), ("long", new string('\0', 2000)), ("token", "t"), ("authorization", "a"), (":status", "200")],
                fields);
            Assert.Equal(fields.Sum(field => field.Name.Length + field.Value.Length + 32), writer.ListBytes);
        }
    }

    [Fact]
    public void Writer_UsedAgain_AllocatesNothing()
    {
        using var writer = new HeaderBlockWriter();
        Fill(writer, 100);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Fill(writer, 10_000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Writer_Disposed_IsEmptyAndMayBeUsedAgain()
    {
        var writer = new HeaderBlockWriter();
        writer.Append("n"u8, "v"u8);
        writer.Dispose();
        writer.Dispose();
        Assert.True(writer.Written.IsEmpty);
        Assert.Equal(0, writer.ListBytes);

        writer.Append("n"u8, "v"u8);
        Assert.Equal("00016E0176", Convert.ToHexString(writer.Written));
        writer.Dispose();
    }

    private static void Fill(HeaderBlockWriter writer, int times)
    {
        for (var i = 0; i < times; i++)
        {
            writer.Reset();
            for (var field = 0; field < 40; field++) writer.Append("grpc-accept-encoding"u8, "identity, deflate, gzip"u8);
            writer.AppendNeverIndexed(HpackStaticTable.Authorization, "Bearer token"u8);
        }
    }
}
