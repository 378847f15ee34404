using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>
/// One side of the relay as HTTP/2 demands it to be: it sends random data within the windows it was given, reads when it
/// likes, and fails the test when the relay sends more than it may.
/// </summary>
internal sealed class ModelPeer
{
    private readonly Http2Connection relay;
    private readonly Random random;
    private readonly Queue<long> unacknowledged = [];
    private long acknowledged = 65_535;
    private readonly bool isClient;
    private readonly List<byte> toRelay = [];
    private readonly List<byte> fromRelay = [];
    private readonly Dictionary<int, ModelStream> streams = [];
    private long sendWindow = 65_535;
    private long receiveWindow = 65_535;
    private long relayInitial = 65_535;
    private long myInitial;
    private bool sawPreface;

    public ModelPeer(Http2Connection relay, Random random, int initialWindow, bool isClient)
    {
        this.relay = relay;
        this.random = random;
        this.isClient = isClient;
        myInitial = initialWindow;
        sawPreface = isClient;
    }

    public IReadOnlyDictionary<int, ModelStream> Streams => streams;

    public bool HasInFlight => toRelay.Count > 0 || fromRelay.Count > 0 || !relay.Output.IsEmpty;

    public void Greet()
    {
        if (isClient) toRelay.AddRange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        Announce();
    }

    public ModelStream Open(int id, byte[] data, int answerBytes)
    {
        var stream = new ModelStream(id) { Outgoing = data, SendWindow = relayInitial, ReceiveWindow = myInitial, AnswerBytes = answerBytes };
        streams.Add(id, stream);
        return stream;
    }

    public void Send(Frame frame) => toRelay.AddRange(frame.ToBytes());

    /// <summary>A random part of what is on its way to the relay arrives.</summary>
    public void Arrive(bool all = false)
    {
        if (toRelay.Count == 0) return;
        var count = all ? toRelay.Count : random.Next(1, Math.Min(toRelay.Count, 40_000) + 1);
        relay.Receive(toRelay.GetRange(0, count).ToArray());
        toRelay.RemoveRange(0, count);
    }

    /// <summary>The socket takes a random part of the relay's output; whole frames of it are read.</summary>
    public void Take(bool all = false)
    {
        while (!relay.Output.IsEmpty)
        {
            var next = relay.Output.Next;
            var count = all ? next.Length : random.Next(1, next.Length + 1);
            fromRelay.AddRange(next[..count].ToArray());
            relay.Output.Advance(count);
            if (!all) break;
        }

        ReadFrames();
    }

    /// <summary>Sends some data, as far as the windows allow; true if it could.</summary>
    public bool SendSome(ModelStream stream)
    {
        if (stream.IsSent || stream.IsReset) return false;
        var left = stream.Outgoing.Length - stream.Sent;
        var most = (int)Math.Min(Math.Min(left, 16_384), Math.Min(sendWindow, stream.SendWindow));
        if (most <= 0 && left > 0) return false;
        var count = left == 0 ? 0 : random.Next(1, most + 1);
        var ends = stream.Sent + count == stream.Outgoing.Length;
        byte padding = 0;
        if (random.Next(10) == 0 && count + 9 <= Math.Min(16_384, Math.Min(sendWindow, stream.SendWindow))) padding = 8;
        var part = stream.Outgoing.AsMemory(stream.Sent, count);
        Send(padding > 0 ? Frame.PaddedData(stream.Id, part.Span, padding, ends) : Frame.Data(stream.Id, part, ends));
        var length = count + (padding > 0 ? padding + 1 : 0);
        sendWindow -= length;
        stream.SendWindow -= length;
        stream.Sent += count;
        stream.IsSent = ends;
        return true;
    }

    /// <summary>Reads on: the windows of what has been received are opened again.</summary>
    public void Consume(ModelStream stream, bool all = false)
    {
        var count = all ? stream.Unread : random.Next(0, stream.Unread + 1);
        if (count == 0) return;
        stream.Unread -= count;
        receiveWindow += count;
        Send(Frame.WindowUpdate(0, (uint)count));
        if (stream.IsReceived || stream.IsReset) return;
        stream.ReceiveWindow += count;
        Send(Frame.WindowUpdate(stream.Id, (uint)count));
    }

    /// <summary>Gives a stream up; what is underway of it still comes.</summary>
    public void Reset(ModelStream stream)
    {
        if (stream.IsOver || (!isClient && stream.HeaderBlocks.Count == 0)) return;
        stream.IsReset = true;
        Send(Frame.Reset(stream.Id, ErrorCodes.Cancel));
    }

    public void ChangeInitialWindow(int value)
    {
        foreach (var stream in streams.Values) stream.ReceiveWindow += value - myInitial;
        myInitial = value;
        Announce();
    }

    /// <summary>Until the relay has acknowledged a smaller window it may still send by the larger one.</summary>
    private long NotYetShrunk => Math.Max(0, unacknowledged.Append(acknowledged).Max() - myInitial);

    private void Announce()
    {
        unacknowledged.Enqueue(myInitial);
        Send(Frame.Settings(new Setting(SettingId.InitialWindowSize, (uint)myInitial)));
    }

    private void ReadFrames()
    {
        if (!sawPreface)
        {
            if (fromRelay.Count < 24) return;
            fromRelay.RemoveRange(0, 24);
            sawPreface = true;
        }

        while (fromRelay.Count >= FrameHeader.Size)
        {
            var header = FrameHeader.Read(fromRelay.GetRange(0, FrameHeader.Size).ToArray());
            if (fromRelay.Count < FrameHeader.Size + header.Length) return;
            var payload = fromRelay.GetRange(FrameHeader.Size, header.Length).ToArray();
            fromRelay.RemoveRange(0, FrameHeader.Size + header.Length);
            Read(new Frame(header.Type, header.Flags, header.StreamId, payload));
        }
    }

    private void Read(Frame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Settings when !frame.IsAck:
                foreach (var setting in frame.ReadSettings().Where(s => s.Id == SettingId.InitialWindowSize))
                {
                    foreach (var stream in streams.Values) stream.SendWindow += setting.Value - relayInitial;
                    relayInitial = setting.Value;
                }

                Send(Frame.SettingsAck);
                break;
            case FrameType.Settings:
                acknowledged = unacknowledged.Dequeue();
                break;
            case FrameType.WindowUpdate:
                Assert.NotEqual(0u, frame.Code);
                if (frame.StreamId == 0) sendWindow += frame.Code;
                else if (streams.TryGetValue(frame.StreamId, out var opened)) opened.SendWindow += frame.Code;
                break;
            case FrameType.Headers:
                if (!streams.ContainsKey(frame.StreamId)) Open(frame.StreamId, [], 0);
                streams[frame.StreamId].HeaderBlocks.Add(frame.Payload.ToArray());
                if (frame.Has(FrameFlags.EndStream)) streams[frame.StreamId].IsReceived = true;
                break;
            case FrameType.Data:
                ReadData(frame);
                break;
            case FrameType.RstStream:
                Assert.NotEqual(5u, frame.Code);
                streams[frame.StreamId].IsReset = true;
                break;
            case FrameType.GoAway:
                Assert.Fail($"GOAWAY {frame.Code}");
                break;
            default:
                break;
        }
    }

    private void ReadData(Frame frame)
    {
        var stream = streams[frame.StreamId];
        Assert.False(stream.IsReceived, "DATA behind END_STREAM");
        receiveWindow -= frame.Payload.Length;
        stream.ReceiveWindow -= frame.Payload.Length;
        Assert.True(receiveWindow >= 0, $"the connection window was overrun by {-receiveWindow}");
        Assert.True(frame.Payload.Length == 0 || stream.ReceiveWindow + NotYetShrunk >= 0, $"the window of stream {stream.Id} was overrun by {-stream.ReceiveWindow}");
        stream.Received.AddRange(frame.Payload.Span);
        stream.Unread += frame.Payload.Length;
        if (frame.Has(FrameFlags.EndStream)) stream.IsReceived = true;
    }
}

internal sealed class ModelStream(int id)
{
    public int Id { get; } = id;

    public byte[] Outgoing { get; set; } = [];

    public int Sent { get; set; }

    public bool IsSent { get; set; }

    public bool IsReset { get; set; }

    public bool IsReceived { get; set; }

    public bool IsOver => IsReset || (IsSent && IsReceived);

    public long SendWindow { get; set; }

    public long ReceiveWindow { get; set; }

    /// <summary>How much the driver answers on this stream.</summary>
    public int AnswerBytes { get; set; }

    public List<byte> Received { get; } = [];

    public int Unread { get; set; }

    public List<byte[]> HeaderBlocks { get; } = [];
}
