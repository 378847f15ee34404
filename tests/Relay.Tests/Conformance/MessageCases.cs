using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Relay.Tests.Http2;
using SparkGateway.Testing.Http2;
using static SparkGateway.Relay.Tests.Conformance.Answer;

namespace SparkGateway.Relay.Tests.Conformance;

/// <summary>Requests: RFC 9113 section 8, and RFC 7541.</summary>
internal static class MessageCases
{
    private const uint Protocol = 1;
    private const uint Compression = 9;

    private static readonly HeaderField[] Good = [.. Grpc.RequestHeaders("/spark.connect.SparkConnectService/ExecutePlan", "gateway:15002")];

    public static IEnumerable<ConformanceCase> Messages() =>
    [
        new("8.1 a request with trailers", None, [Call(Good), Frame.Data(1, Wire.Message()), Frame.Headers(1, HeaderEncoder.Encode([("x-test", "ok")]), true)]),
        new("8.1 a second HEADERS that does not end the stream", Reset(Protocol), Call(Good), Frame.Headers(1, HeaderEncoder.Encode([("x-test", "ok")]))),
        new("8.1 pseudo-header fields in trailers", Reset(Protocol), Call(Good), Frame.Data(1, Wire.Message()), Frame.Headers(1, HeaderEncoder.Encode([(":method", "POST")]), true)),
        new("8.2.1 upper case in a trailer's name", Reset(Protocol), Call(Good), Frame.Data(1, Wire.Message()), Frame.Headers(1, HeaderEncoder.Encode([("X-Test", "ok")]), true)),
        Bad("8.2.1 upper case in a name", [.. Good, ("X-Test", "ok")]),
        Bad("8.2.1 a name of nothing", [.. Good, ("", "ok")]),
        Bad("8.2.1 a blank in a name", [.. Good, ("x test", "ok")]),
        Bad("8.2.1 a colon in a name", [.. Good, ("x:test", "ok")]),
        Bad("8.2.1 a name beyond ASCII", [.. Good, ("x-t\u00e9st", "ok")]),
        Bad("8.2.1 a line feed in a value", [.. Good, ("x-test", "a\nb: c")]),
        Bad("8.2.1 a carriage return in a value", [.. Good, ("x-test", "a\rb")]),
        Bad("8.2.1 a zero in a value", [.. Good, ("x-test", "a\0b")]),
        new("8.2.1 blanks around a value pass, as gRPC lets them", None, Call([.. Good, ("x-test", " ok ")])),
        Bad("8.2.2 connection", [.. Good, ("connection", "keep-alive")]),
        Bad("8.2.2 proxy-connection", [.. Good, ("proxy-connection", "keep-alive")]),
        Bad("8.2.2 keep-alive", [.. Good, ("keep-alive", "timeout=5")]),
        Bad("8.2.2 transfer-encoding", [.. Good, ("transfer-encoding", "chunked")]),
        Bad("8.2.2 upgrade", [.. Good, ("upgrade", "h2c")]),
        Bad("8.2.2 te other than trailers", [.. Good.Where(f => f.Name != "te"), ("te", "trailers, deflate")]),
        Bad("8.3 an unknown pseudo-header field", [(":test", "ok"), .. Good]),
        Bad("8.3 a response's pseudo-header field", [(":status", "200"), .. Good]),
        Bad("8.3 a pseudo-header field behind a regular one", [.. Good.Where(f => f.Name != ":scheme"), (":scheme", "http")]),
        Bad("8.3.1 an empty :path", [.. Good.Select(f => f.Name == ":path" ? (":path", "") : f)]),
        Bad("8.3.1 no :method", [.. Good.Where(f => f.Name != ":method")]),
        Bad("8.3.1 no :scheme", [.. Good.Where(f => f.Name != ":scheme")]),
        Bad("8.3.1 no :path", [.. Good.Where(f => f.Name != ":path")]),
        Bad("8.3.1 two :method", [(":method", "POST"), .. Good]),
        Bad("8.3.1 two :scheme", [(":scheme", "http"), .. Good]),
        Bad("8.3.1 two :path", [(":path", "/"), .. Good]),
        Bad("8.3.1 two :authority", [(":authority", "a"), .. Good]),
        new("8.1.1 DATA shorter than content-length", Reset(Protocol), Call([.. Good, ("content-length", "1000")]), Frame.Data(1, Wire.Message(), true)),
        new("8.1.1 DATA longer than content-length", Reset(Protocol), Call([.. Good, ("content-length", "1")]), Frame.Data(1, Wire.Message(), true)),
        new("8.1.1 DATA in parts, together longer than content-length", Reset(Protocol), Call([.. Good, ("content-length", "3")]), Frame.Data(1, new byte[2]), Frame.Data(1, new byte[2])),
        new("8.1.1 no DATA for a content-length", Reset(Protocol), Frame.Headers(1, HeaderEncoder.Encode([.. Good, ("content-length", "1")]), true)),
        new("8.1.1 trailers before all content has come", Reset(Protocol), Call([.. Good, ("content-length", "9000")]), Frame.Data(1, Wire.Message()), Frame.Headers(1, HeaderEncoder.Encode([("x", "y")]), true)),
        new("8.1.1 content-length and its DATA", None, Call([.. Good, ("content-length", $"{Wire.Message().Length}")]), Frame.Data(1, Wire.Message(), true)),
        Bad("8.1.1 two values of content-length", [.. Good, ("content-length", "1"), ("content-length", "2")]),
        Bad("8.1.1 a content-length that is no number", [.. Good, ("content-length", "+1x")]),
    ];

    public static IEnumerable<ConformanceCase> Compressed() =>
    [
        new("7541 2.3.3 an index beyond the tables", Broken, Block(b => b.Indexed(70))),
        new("7541 2.3.3 a name's index beyond the tables", Broken, Block(b => b.Raw(0x40 | 62).Text("x", false))),
        new("7541 4.2 a size update behind a field", Broken, Block(b => b.SizeUpdate(0))),
        new("7541 5.1 an integer beyond 32 bits", Broken, Block(b => b.Raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))),
        new("7541 5.1 an integer without its end", Broken, Block(b => b.Raw(0xff, 0x80))),
        new("7541 5.2 a literal longer than the block", Broken, Block(b => b.Raw(0x00, 0x05, (byte)'a'))),
        new("7541 5.2 Huffman padding of more than 7 bits", Broken, Block(b => b.Raw(0x00, 0x01, (byte)'x', 0x82, 0x1f, 0xff))),
        new("7541 5.2 Huffman padding of zeros", Broken, Block(b => b.Raw(0x00, 0x01, (byte)'x', 0x81, 0x18))),
        new("7541 5.2 Huffman with EOS", Broken, Block(b => b.Raw(0x00, 0x01, (byte)'x', 0x84, 0xff, 0xff, 0xff, 0xff))),
        new("7541 6.1 index 0", Broken, Block(b => b.Raw(0x80))),
        new("7541 6.3 a size update above the limit", Broken, Frame.Headers(1, new HpackBlock().SizeUpdate(4097).Raw(HeaderEncoder.Encode(Good)).ToArray())),
        new("7541 6.3 three size updates", Broken, Frame.Headers(1, new HpackBlock().SizeUpdate(1).SizeUpdate(2).SizeUpdate(3).Raw(HeaderEncoder.Encode(Good)).ToArray())),
        new("7541 6.3 two size updates", None, Frame.Headers(1, new HpackBlock().SizeUpdate(0).SizeUpdate(4096).Raw(HeaderEncoder.Encode(Good)).ToArray())),
        new("7541 6.1 indexed fields", None, Frame.Headers(1, new HpackBlock().Indexed(3).Indexed(6).Indexed(4).Raw(HeaderEncoder.Encode(Good.Where(f => f.Name[0] != ':'))).ToArray())),
        .. new[] { false, true }.SelectMany(huffman => new ConformanceCase[]
        {
            new($"7541 6.2.1 a field to remember, huffman {huffman}", None, Block(b => b.Indexing("x-a", "b", huffman).Indexing(58, "c", huffman).Indexed(62))),
            new($"7541 6.2.2 a field not to remember, huffman {huffman}", None, Block(b => b.Plain("x-a", "b", huffman).Plain(58, "c", huffman))),
            new($"7541 6.2.3 a field never to remember, huffman {huffman}", None, Block(b => b.Never("x-a", "b", huffman))),
        }),
    ];

    private static readonly Answer Broken = GoAway(Compression);

    private static Frame Call(IEnumerable<HeaderField> fields) => Frame.Headers(1, HeaderEncoder.Encode(fields));

    private static ConformanceCase Bad(string name, IEnumerable<HeaderField> fields) => new(name, Reset(Protocol), Call(fields));

    private static Frame Block(Func<HpackBlock, HpackBlock> rest) => Frame.Headers(1, rest(new HpackBlock().Raw(HeaderEncoder.Encode(Good))).ToArray());
}
