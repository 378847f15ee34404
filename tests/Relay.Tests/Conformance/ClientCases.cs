using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;
using static SparkGateway.Relay.Tests.Conformance.Answer;

namespace SparkGateway.Relay.Tests.Conformance;

/// <summary>Frames of a client, by the sections of RFC 9113 on framing, streams and frame types.</summary>
internal static class ClientCases
{
    private const uint Protocol = 1;
    private const uint Flow = 3;
    private const uint StreamClosed = 5;
    private const uint FrameSize = 6;
    private const uint Refused = 7;
    private const uint Calm = 11;

    private static readonly byte[] Block = Wire.Headers();

    public static readonly Frame Open = Frame.Headers(1, Block);

    /// <summary>The client has ended its side; the call waits for its driver.</summary>
    public static readonly Frame[] HalfClosed = [Open, Frame.Data(1, Wire.Message(), endStream: true)];

    public static readonly Frame[] Reset = [Open, Frame.Reset(1, ErrorCodes.Cancel)];

    /// <summary>Answered by the relay at once.</summary>
    public static readonly Frame[] Over = [Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/other/Method", "g")), endStream: true)];

    public static IEnumerable<ConformanceCase> Framing() =>
    [
        new("4.1 a frame of unknown type", None, Raw(0x16, 0, 0, 8)),
        new("4.1 undefined flags", None, new Frame(FrameType.Ping, 0x16, 0, new byte[8])),
        new("4.1 the reserved bit of the stream id", None, new Frame(FrameType.Ping, 0, int.MinValue, new byte[8])),
        new("4.2 DATA of 2^14 bytes", None, Open, Frame.Data(1, new byte[16_384])),
        new("4.2 DATA above the limit", GoAway(FrameSize, 1), Open, Frame.Data(1, new byte[16_385])),
        new("4.2 HEADERS above the limit", GoAway(FrameSize), Frame.Headers(1, new byte[16_385])),
        new("4.2 SETTINGS above the limit", GoAway(FrameSize), Raw((byte)FrameType.Settings, 0, 0, 16_386)),
        new("4.2 an unknown type above the limit", GoAway(FrameSize), Raw(0x77, 0, 0, 16_385)),
        new("4.3 a block that is no HPACK", GoAway(9), Frame.Headers(1, new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })),
        new("4.3 PRIORITY inside a block", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Priority(1, 0)),
        new("4.3 HEADERS of another stream inside a block", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Frame.Headers(3, Block)),
        new("5.5 a frame of unknown type inside a block", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Raw(0x16, 0, 1, 8)),
        new("5.4.1 a broken connection is told and ended", GoAway(FrameSize, 1), [.. Over, new Frame(FrameType.Ping, 0, 0, new byte[3])]),
        new("7 GOAWAY of an unknown code", None, Frame.GoAway(0, 0xff)),
        new("7 RST_STREAM of an unknown code", None, Open, Frame.Reset(1, 0xff)),
    ];

    public static IEnumerable<ConformanceCase> Streams() =>
    [
        new("5.1 idle: DATA", GoAway(Protocol), Frame.Data(1, new byte[4], true)),
        new("5.1 idle: RST_STREAM", GoAway(Protocol), Frame.Reset(1, 8)),
        new("5.1 idle: WINDOW_UPDATE", GoAway(Protocol), Frame.WindowUpdate(1, 100)),
        new("5.1 idle: CONTINUATION", GoAway(Protocol), Frame.Continuation(1, Block)),
        new("5.1 idle: PRIORITY", None, Priority(1, 0)),
        new("5.1 half-closed (remote): DATA", Answer.Reset(StreamClosed), [.. HalfClosed, Frame.Data(1, new byte[4], true)]),
        new("5.1 half-closed (remote): HEADERS", Answer.Reset(StreamClosed), [.. HalfClosed, Frame.Headers(1, Block, true)]),
        new("5.1 half-closed (remote): CONTINUATION", GoAway(Protocol, 1), [.. HalfClosed, Frame.Continuation(1, Block)]),
        new("5.1 half-closed (remote): WINDOW_UPDATE", None, [.. HalfClosed, Frame.WindowUpdate(1, 100)]),
        new("5.1 half-closed (remote): PRIORITY", None, [.. HalfClosed, Priority(1, 0)]),
        new("5.1 half-closed (remote): RST_STREAM", None, [.. HalfClosed, Frame.Reset(1, 8)]),
        new("5.1 closed by the client's RST_STREAM: DATA", Answer.Reset(StreamClosed), [.. Reset, Frame.Data(1, new byte[4], true)]),
        new("5.1 closed by the client's RST_STREAM: HEADERS", Answer.Reset(StreamClosed), [.. Reset, Frame.Headers(1, Block, true)]),
        new("5.1 closed by the client's RST_STREAM: CONTINUATION", GoAway(Protocol, 1), [.. Reset, Frame.Continuation(1, Block)]),
        new("5.1 closed by the client's RST_STREAM: RST_STREAM", None, [.. Reset, Frame.Reset(1, 8)]),
        new("5.1 closed: DATA", Answer.Reset(StreamClosed), [.. Over, Frame.Data(1, new byte[4], true)]),
        new("5.1 closed: HEADERS", Answer.Reset(StreamClosed), [.. Over, Frame.Headers(1, Block, true)]),
        new("5.1 closed: CONTINUATION", GoAway(Protocol, 1), [.. Over, Frame.Continuation(1, Block)]),
        new("5.1 closed: WINDOW_UPDATE", None, [.. Over, Frame.WindowUpdate(1, 100)]),
        new("5.1 closed: RST_STREAM", None, [.. Over, Frame.Reset(1, 8)]),
        new("5.1 closed: PRIORITY", None, [.. Over, Priority(1, 0)]),
        new("5.1.1 an even stream id", GoAway(Protocol), Frame.Headers(2, Block, true)),
        new("5.1.1 a stream id below one that was opened", GoAway(Protocol, 5), Frame.Headers(5, Block, true), Frame.Headers(3, Block, true)),
        new("5.1.1 a stream id above the next", None, Frame.Headers(9, Block), Frame.Data(9, Wire.Message(), true)),
        new("5.1.2 a stream more than allowed", Answer.Reset(Refused, 7), Frame.Headers(1, Block), Frame.Headers(3, Block), Frame.Headers(5, Block), Frame.Headers(7, Block)),
        new("5.3.1 HEADERS that depend on their own stream", Answer.Reset(Protocol), WithPriority(1, 1)),
        new("5.3.1 PRIORITY that depends on its own stream", Answer.Reset(Protocol), Open, Priority(1, 1)),
        new("5.3.1 PRIORITY of an idle stream that depends on itself", GoAway(Protocol), Priority(3, 3)),
    ];

    public static IEnumerable<ConformanceCase> DataAndHeaders() =>
    [
        new("6.1 DATA of stream 0", GoAway(Protocol), Frame.Data(0, new byte[4])),
        new("6.1 padded DATA", None, Open, Frame.PaddedData(1, Wire.Message(), 200, true)),
        new("6.1 padded DATA without content", None, Open, Frame.PaddedData(1, default, 0), Frame.Data(1, Wire.Message(), true)),
        new("6.1 padding as long as the payload", GoAway(Protocol, 1), Open, new Frame(FrameType.Data, FrameFlags.Padded, 1, new byte[] { 4, 0, 0, 0 })),
        new("6.1 padded DATA without a pad length", GoAway(FrameSize, 1), Open, new Frame(FrameType.Data, FrameFlags.Padded, 1, default)),
        new("6.1 DATA beyond the window of its stream", Answer.Reset(Flow), Open, Frame.Data(1, new byte[16_384]), Frame.Data(1, new byte[16_384]), Frame.Data(1, new byte[16_384]), Frame.Data(1, new byte[16_383]), Frame.Data(1, new byte[1])),
        new("6.2 HEADERS of stream 0", GoAway(Protocol), Frame.Headers(0, Block)),
        new("6.2 padded HEADERS", None, Padded(Block, 100)),
        new("6.2 padding longer than the payload", GoAway(Protocol), new Frame(FrameType.Headers, FrameFlags.Padded | FrameFlags.EndHeaders, 1, (byte[])[200, .. Block.AsSpan(0, 199)])),
        new("6.2 padded HEADERS without a pad length", GoAway(FrameSize), new Frame(FrameType.Headers, FrameFlags.Padded | FrameFlags.EndHeaders, 1, default)),
        new("6.2 HEADERS with priority", None, WithPriority(1, 11)),
        new("6.2 HEADERS with priority, too short for it", GoAway(FrameSize), new Frame(FrameType.Headers, FrameFlags.Priority | FrameFlags.EndHeaders, 1, new byte[4])),
        new("6.10 a block in many parts", None, [Frame.Headers(1, Block.AsMemory(0, 3), false, false), .. Enumerable.Range(0, 7).Select(n => Frame.Continuation(1, Block.AsMemory(3 + n, 1), false)), Frame.Continuation(1, Block.AsMemory(10))]),
        new("6.10 more parts than allowed", GoAway(Calm), [Frame.Headers(1, default, false, false), .. Enumerable.Range(0, 9).Select(_ => Frame.Continuation(1, default, false))]),
        new("6.10 DATA inside a block", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Frame.Data(1, default)),
        new("6.10 CONTINUATION of stream 0", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Frame.Continuation(0, default)),
        new("6.10 CONTINUATION of another stream", GoAway(Protocol), Frame.Headers(1, Block, endHeaders: false), Frame.Continuation(3, default)),
        new("6.10 CONTINUATION behind a whole block", GoAway(Protocol, 1), Open, Frame.Continuation(1, default)),
        new("6.10 CONTINUATION behind CONTINUATION that ended the block", GoAway(Protocol, 1), Frame.Headers(1, Block, endHeaders: false), Frame.Continuation(1, default), Frame.Continuation(1, default)),
        new("6.10 CONTINUATION behind DATA", GoAway(Protocol, 1), Open, Frame.Data(1, new byte[1]), Frame.Continuation(1, default)),
        new("6.6 PUSH_PROMISE from a client", GoAway(Protocol, 1), Open, new Frame(FrameType.PushPromise, FrameFlags.EndHeaders, 1, (byte[])[0, 0, 0, 2, .. Block])),
    ];

    public static IEnumerable<ConformanceCase> Control() =>
    [
        new("6.3 PRIORITY of stream 0", GoAway(Protocol), Priority(0, 1)),
        new("6.3 PRIORITY of another length", Answer.Reset(FrameSize), Open, new Frame(FrameType.Priority, 0, 1, new byte[4])),
        new("6.3 PRIORITY, exclusive", None, Priority(1, unchecked((int)0x80000005))),
        new("6.3 PRIORITY of an idle stream, then a lower one opens", None, Priority(9, 1), Open),
        new("6.4 RST_STREAM of stream 0", GoAway(Protocol), Frame.Reset(0, 8)),
        new("6.4 RST_STREAM of another length", GoAway(FrameSize, 1), Open, new Frame(FrameType.RstStream, 0, 1, new byte[3])),
        new("6.5 SETTINGS acknowledgement with a payload", GoAway(FrameSize), new Frame(FrameType.Settings, FrameFlags.Ack, 0, new byte[6])),
        new("6.5 SETTINGS of a stream", GoAway(Protocol), new Frame(FrameType.Settings, 0, 1, default)),
        new("6.5 SETTINGS of another length", GoAway(FrameSize), new Frame(FrameType.Settings, 0, 0, new byte[3])),
        new("6.5.2 ENABLE_PUSH of 2", GoAway(Protocol), Settings(2, 2)),
        new("6.5.2 ENABLE_PUSH of 1", None, Settings(2, 1)),
        new("6.5.2 INITIAL_WINDOW_SIZE above the largest window", GoAway(Flow), Settings(4, 0x8000_0000)),
        new("6.5.2 MAX_FRAME_SIZE below the smallest", GoAway(Protocol), Settings(5, 16_383)),
        new("6.5.2 MAX_FRAME_SIZE above the largest", GoAway(Protocol), Settings(5, 16_777_216)),
        new("6.5.2 a setting of unknown id", None, Settings(0xff, 1)),
        new("6.5.3 the last value of a setting counts", None, Frame.Settings(new Setting(SettingId.InitialWindowSize, 100), new Setting(SettingId.InitialWindowSize, 1))),
        new("6.7 PING of a stream", GoAway(Protocol), new Frame(FrameType.Ping, 0, 1, new byte[8])),
        new("6.7 PING of another length", GoAway(FrameSize), new Frame(FrameType.Ping, 0, 0, new byte[6])),
        new("6.7 PING acknowledgement", None, Frame.Ping(5, ack: true)),
        new("6.8 GOAWAY of a stream", GoAway(Protocol), new Frame(FrameType.GoAway, 0, 1, new byte[8])),
        new("6.8 GOAWAY that is too short", GoAway(FrameSize), new Frame(FrameType.GoAway, 0, 0, new byte[7])),
        new("6.8 calls go on behind a client's GOAWAY", None, [Frame.GoAway(0, 0), .. HalfClosed]),
        new("6.9 WINDOW_UPDATE of 0 on the connection", GoAway(Protocol), Frame.WindowUpdate(0, 0)),
        new("6.9 WINDOW_UPDATE of 0 on a stream", Answer.Reset(Protocol), Open, Frame.WindowUpdate(1, 0)),
        new("6.9 WINDOW_UPDATE of another length", GoAway(FrameSize), new Frame(FrameType.WindowUpdate, 0, 0, new byte[3])),
        new("6.9 WINDOW_UPDATE with the reserved bit", None, Frame.WindowUpdate(0, 0x8000_0001)),
        new("6.9.1 WINDOW_UPDATEs beyond the largest window", GoAway(Flow), Frame.WindowUpdate(0, 0x7fff_ffff), Frame.WindowUpdate(0, 0x7fff_ffff)),
        new("6.9.1 WINDOW_UPDATEs beyond the largest window of a stream", Answer.Reset(Flow), Open, Frame.WindowUpdate(1, 0x7fff_ffff), Frame.WindowUpdate(1, 0x7fff_ffff)),
        new("6.9.2 SETTINGS beyond the largest window of a stream", GoAway(Flow, 1), [.. HalfClosed, Frame.WindowUpdate(1, 0x7fff_0000), Settings(4, 0x7fff_ffff)]),
        new("6.9.2 SETTINGS that make a window negative", None, [Settings(4, 3), .. Over, Settings(4, 2), Frame.WindowUpdate(1, 5)]),
    ];

    public static Frame Priority(int stream, int dependency) =>
        new(FrameType.Priority, 0, stream, (byte[])[(byte)(dependency >> 24), (byte)(dependency >> 16), (byte)(dependency >> 8), (byte)dependency, 200]);

    private static Frame WithPriority(int stream, byte dependency) =>
        new(FrameType.Headers, FrameFlags.Priority | FrameFlags.EndHeaders, stream, (byte[])[0, 0, 0, dependency, 9, .. Block]);

    private static Frame Padded(byte[] block, byte padding) =>
        new(FrameType.Headers, FrameFlags.Padded | FrameFlags.EndHeaders, 1, (byte[])[padding, .. block, .. new byte[padding]]);

    private static Frame Settings(ushort id, uint value) => Frame.Settings(new Setting((SettingId)id, value));

    private static Frame Raw(byte type, byte flags, int stream, int length) => new((FrameType)type, flags, stream, new byte[length]);
}
