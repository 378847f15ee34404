using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.TestLibrary;

/// <summary>The examples of RFC 7541, appendix C.</summary>
public sealed class HeaderDecoderTests
{
    [Theory]
    [InlineData("828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865")]
    [InlineData("828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf")]
    public void Requests_OfOneConnection_ShareATable(string first, string second)
    {
        var decoder = new HeaderDecoder();

        Assert.Equal(":method=GET; :scheme=http; :path=/; :authority=www.example.com", decoder.Decode(Convert.FromHexString(first)).ToString());
        Assert.Equal(":method=GET; :scheme=http; :path=/; :authority=www.example.com; cache-control=no-cache", decoder.Decode(Convert.FromHexString(second)).ToString());
    }

    [Fact]
    public void DynamicTable_Used_IsToldOf()
    {
        var decoder = new HeaderDecoder();

        Assert.True(decoder.Decode(Convert.FromHexString("828684410f7777772e6578616d706c652e636f6d")).UsesDynamicTable);
        Assert.False(decoder.Decode(HeaderEncoder.Encode(("x-a", "b"), ("grpc-status", "0"))).UsesDynamicTable);
    }

    [Fact]
    public void Encoded_LongAndForeignBytes_AreReadBack()
    {
        HeaderField[] fields = [("x-long", new string('a', 40_000)), ("x-bytes", "\u00e9\u0000\u00ff"), ("empty", "")];

        Assert.Equal(fields, new HeaderDecoder().Decode(HeaderEncoder.Encode(fields)).Fields);
    }
}
