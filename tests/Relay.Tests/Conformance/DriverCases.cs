using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Relay.Tests.Http2;
using SparkGateway.Testing.Http2;
using static SparkGateway.Relay.Tests.Conformance.Answer;

namespace SparkGateway.Relay.Tests.Conformance;

/// <summary>Frames of a driver. Streams 1 and 3 are open and the relay has ended its side of them; 5 is over; nothing else was opened.</summary>
internal static class DriverCases
{
    private const uint Protocol = 1;
    private const uint Flow = 3;
    private const uint StreamClosed = 5;
    private const uint FrameSize = 6;
    private const uint Compression = 9;
    private const uint Calm = 11;

    public static readonly byte[] TrailersOnly = HeaderEncoder.Encode([.. Grpc.ResponseHeaders(), .. Grpc.Trailers()]);

    private static readonly byte[] Good = HeaderEncoder.Encode(Grpc.ResponseHeaders());
    private static readonly byte[] Trailers = HeaderEncoder.Encode(Grpc.Trailers());
    private static readonly Frame Head = Frame.Headers(1, Good);

    public static IEnumerable<ConformanceCase> Frames() =>
    [
        new("4.1 a frame of unknown type", None, new Frame((FrameType)0x16, 0, 0, new byte[8])),
        new("4.2 DATA above the limit", GoAway(FrameSize), Head, Frame.Data(1, new byte[65_537])),
        new("4.2 DATA of the limit, beyond its stream's window", GoAway(Flow), Head, Frame.Data(1, new byte[65_536])),
        new("5.1 idle: DATA", GoAway(Protocol), Frame.Data(7, new byte[1])),
        new("5.1 idle: HEADERS", GoAway(Protocol), Frame.Headers(7, Good)),
        new("5.1 idle: RST_STREAM", GoAway(Protocol), Frame.Reset(7, 8)),
        new("5.1 idle: WINDOW_UPDATE", GoAway(Protocol), Frame.WindowUpdate(7, 1)),
        new("5.1.1 HEADERS of a stream that only servers open", GoAway(Protocol), Frame.Headers(2, Good)),
        new("5.1.1 DATA of a stream that only servers open", GoAway(Protocol), Frame.Data(2, new byte[1])),
        new("5.1.1 WINDOW_UPDATE of a stream that only servers open", GoAway(Protocol), Frame.WindowUpdate(2, 1)),
        new("5.1 closed: all is dropped", None, Frame.Data(5, new byte[1]), Frame.Headers(5, Trailers, true), Frame.Reset(5, 5), Frame.WindowUpdate(5, 1)),
        new("5.1 behind RST_STREAM of our own: all is dropped", Reset(Protocol), Frame.WindowUpdate(1, 0), Head, Frame.Data(1, new byte[1]), Frame.Headers(1, Trailers, true)),
        new("6.1 DATA of stream 0", GoAway(Protocol), Frame.Data(0, new byte[1])),
        new("6.1 padding as long as the payload", GoAway(Protocol), Head, new Frame(FrameType.Data, FrameFlags.Padded, 1, new byte[] { 4, 0, 0, 0 })),
        new("6.1 padded DATA", None, Head, Frame.PaddedData(1, new byte[5], 9), Frame.Headers(1, Trailers, true)),
        new("6.2 HEADERS of stream 0", GoAway(Protocol), Frame.Headers(0, Good)),
        new("6.3 PRIORITY", None, ClientCases.Priority(1, 0)),
        new("6.4 RST_STREAM of another length", GoAway(FrameSize), new Frame(FrameType.RstStream, 0, 1, new byte[5])),
        new("6.5 SETTINGS acknowledgement with a payload", GoAway(FrameSize), new Frame(FrameType.Settings, FrameFlags.Ack, 0, new byte[6])),
        new("6.5.2 ENABLE_PUSH of 1 from a server", GoAway(Protocol), Frame.Settings(new Setting(SettingId.EnablePush, 1))),
        new("6.5.2 ENABLE_PUSH of 0", None, Frame.Settings(new Setting(SettingId.EnablePush, 0))),
        new("6.5.2 INITIAL_WINDOW_SIZE above the largest window", GoAway(Flow), Frame.Settings(new Setting(SettingId.InitialWindowSize, 0x8000_0000))),
        new("6.5.2 MAX_FRAME_SIZE below the smallest", GoAway(Protocol), Frame.Settings(new Setting(SettingId.MaxFrameSize, 1))),
        new("6.6 PUSH_PROMISE, which we have forbidden", GoAway(Protocol), new Frame(FrameType.PushPromise, FrameFlags.EndHeaders, 1, new byte[] { 0, 0, 0, 2 })),
        new("6.7 PING of another length", GoAway(FrameSize), new Frame(FrameType.Ping, 0, 0, new byte[9])),
        new("6.8 GOAWAY of a stream", GoAway(Protocol), new Frame(FrameType.GoAway, 0, 3, new byte[8])),
        new("6.8 GOAWAY, and the calls below its last id go on", None, Frame.GoAway(3, 0), Head, Frame.Headers(1, Trailers, true)),
        new("6.9 WINDOW_UPDATE of 0 on the connection", GoAway(Protocol), Frame.WindowUpdate(0, 0)),
        new("6.9 WINDOW_UPDATE of 0 on a stream", Reset(Protocol, 3), Frame.WindowUpdate(3, 0)),
        new("6.9.1 WINDOW_UPDATEs beyond the largest window", GoAway(Flow), Frame.WindowUpdate(0, 0x7fff_ffff)),
        new("6.9.1 WINDOW_UPDATEs beyond the largest window of a stream", Reset(Flow), Frame.WindowUpdate(1, 0x7fff_ffff)),
        new("6.9.1 DATA beyond the window of its stream", GoAway(Flow), Head, Frame.Data(1, new byte[60_000]), Frame.Data(1, new byte[5_536])),
        new("6.9.2 SETTINGS beyond the largest window of a stream", GoAway(Flow), Frame.WindowUpdate(1, 0x7fff_0000), Frame.Settings(new Setting(SettingId.InitialWindowSize, 0x7fff_ffff))),
        new("6.10 DATA inside a block", GoAway(Protocol), Frame.Headers(1, Good, endHeaders: false), Frame.Data(1, default)),
        new("6.10 CONTINUATION without a block", GoAway(Protocol), Frame.Continuation(1, Good)),
        new("6.10 a block in parts", None, Frame.Headers(1, Good.AsMemory(0, 4), endHeaders: false), Frame.Continuation(1, Good.AsMemory(4))),
        new("6.10 more parts than allowed", GoAway(Calm), [Frame.Headers(1, default, false, false), .. Enumerable.Range(0, 9).Select(_ => Frame.Continuation(1, default, false))]),
    ];

    public static IEnumerable<ConformanceCase> Messages() =>
    [
        new("8.1 a whole response", None, Head, Frame.Data(1, new byte[9]), Frame.Headers(1, Trailers, true)),
        new("8.1 trailers alone", None, Frame.Headers(1, TrailersOnly, true)),
        new("8.1 DATA before HEADERS", Reset(Protocol), Frame.Data(1, new byte[1])),
        new("8.1 a second HEADERS that does not end the stream", Reset(Protocol), Head, Head),
        new("8.1 HEADERS behind the end", None, Head, Frame.Headers(1, Trailers, true), Frame.Headers(1, Trailers, true)),
        new("8.1 an interim response, then the response", None, Informational(false), Head),
        new("8.1 an interim response that ends the stream", Reset(Protocol), Informational(true)),
        Bad("8.3.2 no :status", [("content-type", "application/grpc")]),
        Bad("8.3.2 two :status", [(":status", "200"), (":status", "200")]),
        Bad("8.3.2 a :status of four digits", [(":status", "2000")]),
        Bad("8.3 a request's pseudo-header field", [(":status", "200"), (":path", "/")]),
        Bad("8.3 :status behind a regular field", [("content-type", "application/grpc"), (":status", "200")]),
        new("8.3 pseudo-header fields in trailers", Reset(Protocol), Head, Frame.Headers(1, HeaderEncoder.Encode([(":status", "200"), ("grpc-status", "0")]), true)),
        Bad("8.2.1 upper case in a name", [(":status", "200"), ("X-Test", "ok")]),
        Bad("8.2.1 a line feed in a value", [(":status", "200"), ("x-test", "a\nb")]),
        Bad("8.2.2 connection", [(":status", "200"), ("connection", "close")]),
        new("8.2.1 a grpc-message that ends with a blank passes", None, Head, Frame.Headers(1, HeaderEncoder.Encode([("grpc-status", "13"), ("grpc-message", "failed at ")]), true)),
        new("7541 2.3.3 an index beyond the static table: ours is empty", GoAway(Compression), Frame.Headers(1, new HpackBlock().Raw(Good).Indexing("x", "y").Indexed(62).ToArray())),
        new("7541 6.3 a size update to 0", None, Frame.Headers(1, new HpackBlock().SizeUpdate(0).Raw(Good).ToArray())),
        new("7541 6.3 a size update above 0", GoAway(Compression), Frame.Headers(1, new HpackBlock().SizeUpdate(1).Raw(Good).ToArray())),
        new("7541 6.3 a size update behind a field", GoAway(Compression), Frame.Headers(1, new HpackBlock().Raw(Good).SizeUpdate(0).ToArray())),
        new("7541 5.2 Huffman padding of zeros", GoAway(Compression), Frame.Headers(1, new HpackBlock().Raw(Good).Raw(0x00, 0x01, (byte)'x', 0x81, 0x18).ToArray())),
        new("7541 a broken block of a stream that is over", GoAway(Compression), Frame.Headers(5, new byte[] { 0x80 })),
    ];

    private static Frame Informational(bool endStream) => Frame.Headers(1, HeaderEncoder.Encode([(":status", "103")]), endStream);

    private static ConformanceCase Bad(string name, IEnumerable<HeaderField> fields) => new(name, Reset(Protocol), Frame.Headers(1, HeaderEncoder.Encode(fields)));
}
