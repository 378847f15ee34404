using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Fuzz;

/// <summary>
/// Reads what the relay says on one connection, and fails the test where that is not HTTP/2: frames above the limit, broken
/// blocks, words on a stream that has ended. What is left is the talk of each stream, however it was cut into frames.
/// </summary>
internal sealed class Listener(bool isClient, int maxFrame)
{
    private readonly List<byte> unread = [];
    private readonly HeaderDecoder decoder = new();
    private readonly Dictionary<int, Talk> streams = [];
    private readonly List<string> control = [];
    private bool sawPreface = isClient;

    public void Hear(ReadOnlySpan<byte> bytes)
    {
        unread.AddRange(bytes);
        if (!sawPreface)
        {
            if (unread.Count < Wire.PrefaceBytes) return;
            Assert.True(unread.Take(Wire.PrefaceBytes).SequenceEqual(Wire.Preface), "the preface");
            unread.RemoveRange(0, Wire.PrefaceBytes);
            sawPreface = true;
        }

        var all = unread.ToArray().AsSpan();
        if (all.StartsWith("HTTP/1.1 400"u8)) return;
        while (all.Length >= FrameHeader.Size && all.Length >= FrameHeader.Size + FrameHeader.Read(all).Length)
        {
            var header = FrameHeader.Read(all);
            Read(new Frame(header.Type, header.Flags, header.StreamId, all.Slice(FrameHeader.Size, header.Length).ToArray()));
            all = all[(FrameHeader.Size + header.Length)..];
        }

        unread.RemoveRange(0, unread.Count - all.Length);
    }

    /// <summary>All that was said but for window updates, which depend on how the bytes came.</summary>
    public string Said() => string.Join('\n', streams.OrderBy(s => s.Key).Select(s => $"{s.Key}: {s.Value.Said()}").Concat(control));

    public void AssertWhole() => Assert.True(unread.Count == 0 || unread[0] == (byte)'H', "the output ends inside a frame");

    private void Read(Frame frame)
    {
        Assert.InRange(frame.Payload.Length, 0, maxFrame);
        switch (frame.Type)
        {
            case FrameType.Data or FrameType.Headers or FrameType.Continuation or FrameType.RstStream:
                Assert.True(frame.StreamId > 0 && frame.StreamId % 2 == 1, $"{frame.Type} of stream {frame.StreamId}");
                if (!streams.TryGetValue(frame.StreamId, out var talk)) streams.Add(frame.StreamId, talk = new Talk());
                talk.Add(frame, decoder);
                break;
            case FrameType.WindowUpdate:
                Assert.InRange(frame.Code, 1u, (uint)int.MaxValue);
                break;
            case FrameType.Settings:
                Assert.Equal(0, frame.Payload.Length % 6);
                control.Add($"{frame.Type} {frame.Flags} {Convert.ToHexString(frame.Payload.Span)}");
                break;
            case FrameType.Ping or FrameType.GoAway:
                Assert.InRange(frame.Payload.Length, 8, 200);
                control.Add($"{frame.Type} {frame.Flags} {Convert.ToHexString(frame.Payload.Span)}");
                break;
            default:
                Assert.Fail($"{frame.Type} is never sent");
                break;
        }
    }

    private sealed class Talk
    {
        private readonly List<byte> data = [];
        private readonly List<byte> block = [];
        private readonly List<string> words = [];
        private bool isBlockOpen;
        private bool isEnded;
        private bool isReset;

        public string Said() => $"{string.Join(' ', words)} data {Convert.ToHexString([.. data])} {(isEnded ? "ended" : "")}";

        public void Add(Frame frame, HeaderDecoder decoder)
        {
            if (frame.Type == FrameType.RstStream)
            {
                words.Add($"reset {frame.Code}");
                isReset = true;
                return;
            }

            Assert.False(isReset, $"{frame.Type} behind RST_STREAM");
            Assert.Equal(isBlockOpen, frame.Type == FrameType.Continuation);
            if (frame.Type != FrameType.Continuation) Assert.False(isEnded, $"{frame.Type} behind END_STREAM");
            isEnded |= frame.Type != FrameType.Continuation && frame.Has(FrameFlags.EndStream);
            if (frame.Type == FrameType.Data)
            {
                data.AddRange(frame.Payload.Span);
                return;
            }

            block.AddRange(frame.Payload.Span);
            isBlockOpen = !frame.Has(FrameFlags.EndHeaders);
            if (isBlockOpen) return;
            words.Add(decoder.Decode(block.ToArray()).ToString());
            block.Clear();
        }
    }
}
