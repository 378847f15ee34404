using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>The two steps by which the gateway leaves a client.</summary>
public sealed class FarewellTests
{
    private static readonly byte[] Ping = "farewell"u8.ToArray();

    private readonly RelayBench bench = new();

    public FarewellTests() => bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);

    [Fact]
    public void Shutdown_OfAnIdleClient_EndsWhenItHasReadTheFirstStep()
    {
        bench.Client.BeginShutdown();
        Assert.Equal([(int.MaxValue, ErrorCodes.NoError)], GoAways());
        Assert.False(bench.IsClosed);

        AnswerPing();

        Assert.True(bench.IsClosed);
        Assert.Equal([(0, ErrorCodes.NoError)], GoAways());
    }

    [Fact]
    public void Call_OnItsWayAtTheFirstStep_IsTaken()
    {
        bench.Bind();
        bench.Client.BeginShutdown();

        Send(1, "ExecutePlan");
        AnswerPing();
        Send(3, "ExecutePlan");

        var frames = Frames();
        Assert.Equal([1], Assert.Single(bench.Connected).Calls.Select(call => call.ClientStream));
        Assert.Contains(frames, frame => frame is { Type: FrameType.RstStream, StreamId: 3, Code: ErrorCodes.RefusedStream });
        Assert.DoesNotContain(frames, frame => frame is { Type: FrameType.RstStream, StreamId: 1 });
        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void Shutdown_WithAnOpenCall_ClosesBehindItsEnd()
    {
        bench.Bind();
        Send(1, "ExecutePlan");
        bench.Client.BeginShutdown();
        AnswerPing();
        Assert.False(bench.IsClosed);

        var driver = Assert.Single(bench.Connected);
        driver.Receive([.. Frame.Settings().ToBytes(), .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders(("grpc-status", "0"))), endStream: true).ToBytes()]);

        Assert.True(bench.IsClosed);
        Assert.Equal([(int.MaxValue, ErrorCodes.NoError), (1, ErrorCodes.NoError)], GoAways());
        Assert.Equal(0, Assert.Single(bench.Ended).GrpcStatus);
    }

    [Fact]
    public void Shutdown_WithAHealthWatch_SaysNotServingAndEndsItAtOnce()
    {
        bench.Client.Receive([
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/grpc.health.v1.Health/Watch", "gateway:15002"))).ToBytes(),
            .. Frame.Data(1, Grpc.Frame([]), endStream: true).ToBytes(),
        ]);
        bench.Client.Settle();
        Assert.Equal([8, 1], Answer(Frames()));

        bench.Client.BeginShutdown();
        bench.Client.Settle();

        var frames = Frames();
        Assert.Equal([8, 2], Answer(frames));
        Assert.Contains(frames, frame => frame is { Type: FrameType.Headers, StreamId: 1 } && frame.Has(FrameFlags.EndStream));
        Assert.Equal(14, Assert.Single(bench.Ended).GrpcStatus);
        AnswerPing();
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public void Shutdown_BeforeTheClientHasGreeted_ClosesAtOnce()
    {
        var silent = new RelayBench();

        silent.Client.BeginShutdown();

        Assert.True(silent.IsClosed);
    }

    private static byte[] Answer(IReadOnlyList<Frame> frames) =>
        Grpc.Read(frames.Single(frame => frame is { Type: FrameType.Data, StreamId: 1 }).Payload.Span, out _)!;

    private void AnswerPing() => bench.Client.Receive(new Frame(FrameType.Ping, FrameFlags.Ack, 0, Ping).ToBytes());

    private IEnumerable<(int Last, uint Code)> GoAways() => Frames().Where(frame => frame.Type == FrameType.GoAway)
        .Select(frame => (frame.LastStreamId, frame.Code));

    private List<Frame> Frames()
    {
        var bytes = new List<byte>();
        while (!bench.Client.Output.IsEmpty)
        {
            bytes.AddRange(bench.Client.Output.Next.Span);
            bench.Client.Output.Advance(bench.Client.Output.Next.Length);
        }

        var frames = new List<Frame>();
        for (var rest = bytes.ToArray().AsMemory(); !rest.IsEmpty;)
        {
            var header = FrameHeader.Read(rest.Span);
            frames.Add(new Frame(header.Type, header.Flags, header.StreamId, rest.Slice(FrameHeader.Size, header.Length)));
            rest = rest[(FrameHeader.Size + header.Length)..];
        }

        return frames;
    }

    private void Send(int stream, string method) => bench.Client.Receive([
        .. Frame.Headers(stream, HeaderEncoder.Encode(Grpc.RequestHeaders($"/spark.connect.SparkConnectService/{method}", "gateway:15002"))).ToBytes(),
        .. Frame.Data(stream, Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User))]), endStream: true).ToBytes(),
    ]);
}
