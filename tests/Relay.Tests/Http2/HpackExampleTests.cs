using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Relay.Tests.Http2;

/// <summary>RFC 7541 appendix C.</summary>
public sealed class HpackExampleTests
{
    private const string Day = "Mon, 21 Oct 2013 20:13:";
    private const string Cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    private const string Location = "location: https://www.example.com";
    private const string Authority = ":authority: www.example.com";
    private const string Private = "cache-control: private";
    private const string NoCache = "cache-control: no-cache";
    private const string Custom = "custom-key: custom-value";

    [Theory]
    [InlineData("0a", 5, 10)]
    [InlineData("ea", 5, 10)]
    [InlineData("1f9a0a", 5, 1337)]
    [InlineData("2a", 8, 42)]
    public void Integer_OfC1_IsRead(string hex, int prefixBits, int expected)
    {
        var reader = new HpackReader(Convert.FromHexString(hex));

        Assert.Equal(HpackError.None, reader.ReadInteger(prefixBits, out var value));

        Assert.Equal(expected, value);
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header", 55)]
    [InlineData("040c2f73616d706c652f70617468", ":path: /sample/path", 0)]
    [InlineData("100870617373776f726406736563726574", "password: secret", 0)]
    [InlineData("82", ":method: GET", 0)]
    public void Field_OfC2_IsDecoded(string hex, string expected, int tableSize)
    {
        var decoder = HpackTesting.Decoder();

        var fields = decoder.Fields(Convert.FromHexString(hex));

        Assert.Equal([expected], fields.Select(Line));
        Assert.Equal(tableSize, decoder.Table.Size);
        Assert.Equal(tableSize > 0 ? [expected] : [], decoder.Table.Entries().Select(Line));
    }

    [Theory]
    [InlineData(
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")]
    [InlineData(
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")]
    public void Requests_OfC3AndC4_AreDecodedInSeries(string first, string second, string third)
    {
        var decoder = HpackTesting.Decoder();

        Check(decoder, first, [":method: GET", ":scheme: http", ":path: /", Authority], [Authority], 57);
        Check(decoder, second, [":method: GET", ":scheme: http", ":path: /", Authority, NoCache], [NoCache, Authority], 110);
        Check(
            decoder,
            third,
            [":method: GET", ":scheme: https", ":path: /index.html", Authority, Custom],
            [Custom, NoCache, Authority],
            164);
    }

    [Theory]
    [InlineData(
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31")]
    [InlineData(
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")]
    public void Responses_OfC5AndC6_AreDecodedWithEvictions(string first, string second, string third)
    {
        var decoder = HpackTesting.Decoder(table: 256);
        const string Date21 = $"date: {Day}21 GMT";
        const string Date22 = $"date: {Day}22 GMT";

        Check(
            decoder,
            first,
            [":status: 302", Private, Date21, Location],
            [Location, Date21, Private, ":status: 302"],
            222);
        Check(
            decoder,
            second,
            [":status: 307", Private, Date21, Location],
            [":status: 307", Location, Date21, Private],
            222);
        Check(
            decoder,
            third,
            [":status: 200", Private, Date22, Location, "content-encoding: gzip", Cookie],
            [Cookie, "content-encoding: gzip", Date22],
            215);
    }

    private static void Check(HpackDecoder decoder, string hex, string[] fields, string[] table, int tableSize)
    {
        Assert.Equal(fields, decoder.Fields(Convert.FromHexString(hex)).Select(Line));
        Assert.Equal(table, decoder.Table.Entries().Select(Line));
        Assert.Equal(tableSize, decoder.Table.Size);
    }

    private static string Line((string Name, string Value) field) => $"{field.Name}: {field.Value}";
}
