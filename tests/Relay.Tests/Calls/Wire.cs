using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>What tests say to the relay, and its answers as frames.</summary>
internal static class Wire
{
    public const int PrefaceBytes = 24;

    public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    public static byte[] Hello(params IReadOnlyList<Setting> settings) => [.. Preface, .. Frame.Settings(settings).ToBytes()];

    public static byte[] Bytes(params IEnumerable<Frame> frames) => [.. frames.SelectMany(f => f.ToBytes())];

    public static void Receive(this Http2Connection relay, params IEnumerable<Frame> frames) => relay.Receive(Bytes(frames));

    public static byte[] Headers(string method = "ExecutePlan", params IEnumerable<HeaderField> more) =>
        HeaderEncoder.Encode(Grpc.RequestHeaders($"/spark.connect.SparkConnectService/{method}", "gateway:15002", more));

    /// <summary>The first message of the bench's client session.</summary>
    public static byte[] Message(string rest = "plan") =>
        Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. Proto.Text(3, rest)]);

    public static Frame[] Call(int stream, string method = "ExecutePlan", bool endStream = true) =>
        [Frame.Headers(stream, Headers(method)), Frame.Data(stream, Message(), endStream)];

    /// <summary>The socket takes all output.</summary>
    public static void Drain(this Http2Connection relay)
    {
        while (!relay.Output.IsEmpty) relay.Output.Advance(relay.Output.Next.Length);
    }

    /// <summary>The socket takes all output: whole frames, behind a preface if there is one.</summary>
    public static List<Frame> Take(this Http2Connection relay)
    {
        var bytes = new List<byte>();
        while (!relay.Output.IsEmpty)
        {
            bytes.AddRange(relay.Output.Next.Span);
            relay.Output.Advance(relay.Output.Next.Length);
        }

        return Parse([.. bytes]);
    }

    public static List<Frame> Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Preface)) bytes = bytes[PrefaceBytes..];
        var frames = new List<Frame>();
        while (!bytes.IsEmpty)
        {
            var header = FrameHeader.Read(bytes);
            frames.Add(new Frame(header.Type, header.Flags, header.StreamId, bytes.Slice(FrameHeader.Size, header.Length).ToArray()));
            bytes = bytes[(FrameHeader.Size + header.Length)..];
        }

        return frames;
    }

    /// <summary>The one GOAWAY among the frames, as code and text; null: none.</summary>
    public static (uint Code, string Text)? GoAway(this IEnumerable<Frame> frames) =>
        frames.SingleOrDefault(f => f.Type == FrameType.GoAway) is { } away ? (away.Code, System.Text.Encoding.ASCII.GetString(away.Payload.Span[8..])) : null;
}
