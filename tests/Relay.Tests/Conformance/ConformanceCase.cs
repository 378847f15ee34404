using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Conformance;

/// <summary>What a peer must get for its bytes.</summary>
/// <param name="Stream">The reset stream, or of a GOAWAY the last one that was acted on.</param>
internal sealed record Answer(AnswerKind Kind, uint Code = 0, int Stream = 0)
{
    /// <summary>Nothing is wrong: the connection goes on, and no stream is reset.</summary>
    public static readonly Answer None = new(AnswerKind.None);

    public static readonly Answer Closed = new(AnswerKind.Closed);

    public static Answer GoAway(uint code, int last = 0) => new(AnswerKind.GoAway, code, last);

    public static Answer Reset(uint code, int stream = 1) => new(AnswerKind.Reset, code, stream);
}

internal enum AnswerKind
{
    None,
    Reset,
    GoAway,
    Closed,
}

/// <summary>One row: the section of RFC 9113 or 7541 and what is done, the bytes, and the answer.</summary>
internal sealed record ConformanceCase(string Name, byte[] Bytes, Answer Answer)
{
    public ConformanceCase(string name, Answer answer, params IEnumerable<Frame> frames)
        : this(name, Wire.Bytes(frames), answer)
    {
    }

    /// <summary>Many streams are refused early.</summary>
    public const int MaxStreams = 3;

    /// <summary>The client's side: its bytes in pieces of that size, 0: at once, and what came back, the answer to a last PING included.</summary>
    public List<Frame> RunClient(int piece, bool greets = true)
    {
        var bench = new RelayBench(new RelayOptions { MaxConcurrentStreams = MaxStreams });
        bench.Bind();
        if (greets) bench.Client.Receive(Wire.Hello());
        bench.Client.Settle();
        return Run(bench, bench.Client, piece);
    }

    /// <summary>The driver's side: calls 1 and 3 are open on it, and 5 is over.</summary>
    public List<Frame> RunDriver(int piece)
    {
        var bench = new RelayBench();
        bench.Bind();
        bench.Client.Receive([.. Wire.Hello(), .. Wire.Bytes([.. Wire.Call(1), .. Wire.Call(3), .. Wire.Call(5)])]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings(), Frame.SettingsAck, Frame.Headers(5, DriverCases.TrailersOnly, endStream: true));
        driver.Drain();
        return Run(bench, driver, piece);
    }

    public void Check(List<Frame> frames)
    {
        var away = frames.SingleOrDefault(f => f.Type == FrameType.GoAway);
        var resets = frames.Where(f => f.Type == FrameType.RstStream).Select(f => (f.StreamId, f.Code)).ToArray();
        switch (Answer.Kind)
        {
            case AnswerKind.GoAway:
                Assert.NotNull(away);
                Assert.Equal((Answer.Code, Answer.Stream), (away.Code, away.LastStreamId));
                return;
            case AnswerKind.Closed:
                Assert.Empty(frames);
                return;
            case AnswerKind.Reset:
                Assert.Contains((Answer.Stream, Answer.Code), resets);
                break;
            default:
                Assert.Empty(resets);
                break;
        }

        Assert.Null(away);
        Assert.Contains(frames, f => f.Type == FrameType.Ping && f.IsAck);
    }

    private List<Frame> Run(RelayBench bench, Http2Connection relay, int piece)
    {
        byte[] all = [.. Bytes, .. Frame.Ping(77).ToBytes()];
        for (var at = 0; at < all.Length;)
        {
            var count = piece == 0 ? all.Length : Math.Min(piece, all.Length - at);
            relay.Receive(all.AsSpan(at, count));
            at += count;
        }

        bench.Client.Settle();
        return relay.Take();
    }
}
