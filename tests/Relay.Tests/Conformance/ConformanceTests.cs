using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Conformance;

/// <summary>
/// RFC 9113 and RFC 7541 as a table, after the case list of h2spec: what the relay answers to each peer, whole and byte by
/// byte. Where the RFC leaves a choice, the row says which was taken: docs/adr/0032.
/// </summary>
public sealed class ConformanceTests
{
    private static readonly Dictionary<string, ConformanceCase> Client = new IEnumerable<ConformanceCase>[]
    {
        ClientCases.Framing(), ClientCases.Streams(), ClientCases.DataAndHeaders(), ClientCases.Control(), MessageCases.Messages(), MessageCases.Compressed(),
    }.SelectMany(cases => cases).ToDictionary(one => one.Name);

    private static readonly Dictionary<string, ConformanceCase> Driver =
        DriverCases.Frames().Concat(DriverCases.Messages()).ToDictionary(one => one.Name);

    private static readonly Dictionary<string, ConformanceCase> Prefaces = new ConformanceCase[]
    {
        new("3.4 a preface and SETTINGS", Wire.Hello(), Answer.None),
        new("3.4 a preface that is none", [0x16, 3, 1, 2, 0], Answer.Closed),
        new("3.4 a first frame that is not SETTINGS", [.. Wire.Preface, .. Frame.WindowUpdate(0, 1).ToBytes()], Answer.GoAway(1)),
        new("3.4 a first frame that acknowledges SETTINGS", [.. Wire.Preface, .. Frame.SettingsAck.ToBytes()], Answer.GoAway(1)),
    }.ToDictionary(one => one.Name);

    public static TheoryData<string> ClientRows() => [.. Client.Keys];

    public static TheoryData<string> DriverRows() => [.. Driver.Keys];

    public static TheoryData<string> PrefaceRows() => [.. Prefaces.Keys];

    [Theory]
    [MemberData(nameof(ClientRows))]
    public void Client_GetsTheAnswerOfTheRfc(string row)
    {
        foreach (var piece in new[] { 0, 1, 7 }) Client[row].Check(Client[row].RunClient(piece));
    }

    [Theory]
    [MemberData(nameof(PrefaceRows))]
    public void Preface_GetsTheAnswerOfTheRfc(string row)
    {
        foreach (var piece in new[] { 0, 1, 7 }) Prefaces[row].Check(Prefaces[row].RunClient(piece, greets: false));
    }

    [Theory]
    [MemberData(nameof(DriverRows))]
    public void Driver_GetsTheAnswerOfTheRfc(string row)
    {
        foreach (var piece in new[] { 0, 1, 7 }) Driver[row].Check(Driver[row].RunDriver(piece));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n")]
    public void Preface_OfAnotherProtocol_IsToldInItsWords(string text)
    {
        var bench = new RelayBench();
        foreach (var octet in text) bench.Client.Receive([(byte)octet]);

        Assert.StartsWith("HTTP/1.1 400", System.Text.Encoding.ASCII.GetString(bench.Client.Output.Next.Span), StringComparison.Ordinal);
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public void Settings_AreAcknowledgedBehindWhatTheyChange()
    {
        var bench = new RelayBench();
        bench.Client.Receive([.. Wire.Hello(new Setting(SettingId.InitialWindowSize, 3)), .. Frame.Ping(5).ToBytes()]);

        var frames = bench.Client.Take();

        Assert.Equal([FrameType.Settings, FrameType.Settings, FrameType.Ping], frames.Select(f => f.Type));
        Assert.Equal([false, true, true], frames.Select(f => f.IsAck));
        Assert.Equal(5, frames[2].Payload.Span[7]);
    }

    [Theory]
    [InlineData(0, new byte[] { 0x20 })]
    [InlineData(4095, new byte[] { 0x20 })]
    [InlineData(4096, new byte[0])]
    [InlineData(9000, new byte[0])]
    public void SmallerHeaderTable_IsAnsweredByAnEmptyOneInTheNextBlockOnly(uint size, byte[] lead)
    {
        var bench = new RelayBench();
        bench.Client.Receive([.. Wire.Hello(new Setting(SettingId.HeaderTableSize, size)), .. Wire.Bytes(ClientCases.Over)]);
        var first = bench.Client.Take().Single(f => f.Type == FrameType.Headers).Payload;
        bench.Client.Receive(ClientCases.Over.Select(f => f with { StreamId = 3 }));
        var second = bench.Client.Take().Single(f => f.Type == FrameType.Headers).Payload;

        Assert.Equal([.. lead, .. second.Span], first.ToArray());
    }

    [Fact]
    public void NeverIndexedField_StaysSoForTheDriver()
    {
        var bench = new RelayBench();
        bench.Bind();
        var block = new Http2.HpackBlock().Raw(Wire.Headers()).Never("x-secret", "s3").Plain("x-open", "o").ToArray();
        bench.Client.Receive([.. Wire.Hello(), .. Frame.Headers(1, block).ToBytes(), .. Frame.Data(1, Wire.Message(), true).ToBytes()]);

        var sent = Assert.Single(bench.Connected).Take().Single(f => f.Type == FrameType.Headers).Payload.Span;

        Assert.True(sent.IndexOf(new Http2.HpackBlock().Never("x-secret", "s3").ToArray()) > 0);
        Assert.True(sent.IndexOf(new Http2.HpackBlock().Plain("x-open", "o").ToArray()) > 0);
    }
}
