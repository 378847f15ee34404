using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>A client over a budget gets GOAWAY ENHANCE_YOUR_CALM with the reason; what busy clients do is no flood.</summary>
public sealed class AbuseGuardTests
{
    private const uint Calm = ErrorCodes.EnhanceYourCalm;

    private readonly RelayBench bench = new();

    public AbuseGuardTests()
    {
        bench.Client.Receive(Wire.Hello());
        bench.Client.Drain();
    }

    public static TheoryData<string, Frame, int> Floods() => new()
    {
        { "too many SETTINGS", Frame.Settings(new Setting(SettingId.InitialWindowSize, 70_000)), 19 },
        { "too many PINGs", Frame.Ping(1), 1001 },
        { "too many WINDOW_UPDATEs", Frame.WindowUpdate(0, 1), 10_000 },
        { "too many frames without effect", Frame.SettingsAck, 1000 },
        { "too many frames without effect", Frame.Ping(1, ack: true), 1000 },
        { "too many frames without effect", Frame.GoAway(0, 0), 1000 },
        { "too many frames without effect", new Frame(FrameType.Priority, 0, 9, new byte[] { 0, 0, 0, 0, 7 }), 1000 },
        { "too many frames without effect", new Frame((FrameType)0x77, 0, 0, default), 1000 },
    };

    [Theory]
    [MemberData(nameof(Floods))]
    public void Flood_OverItsBudget_IsToldAndClosed(string reason, Frame frame, int budget)
    {
        for (var n = 0; n < budget; n++)
        {
            bench.Client.Receive(frame);
            bench.Client.Drain();
        }

        Assert.False(bench.IsClosed);
        bench.Client.Now += 1000;
        bench.Client.Receive(frame);
        Assert.False(bench.IsClosed);

        for (var n = 0; n <= budget; n++) bench.Client.Receive(frame);
        Assert.Equal((Calm, reason), bench.Client.Take().GoAway());
        Assert.Equal([(CallSide.Client, reason)], bench.Misuse);
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public void RapidReset_MoreThanHalfOfTooManyStreams_IsClosed()
    {
        bench.Bind();
        for (var n = 0; n < 500; n++) bench.Client.Receive([.. Wire.Call(Stream(n)), Frame.Reset(Stream(n), ErrorCodes.Cancel)]);
        Assert.False(bench.IsClosed);

        bench.Client.Receive([.. Wire.Call(Stream(500)), Frame.Reset(Stream(500), ErrorCodes.Cancel)]);

        Assert.Equal((Calm, "too many resets"), bench.Client.Take().GoAway());
        Assert.Equal(501, bench.Ended.Count);
    }

    [Fact]
    public void MadeYouReset_CountsAsTheClientsOwnResets()
    {
        bench.Bind();
        for (var n = 0; n < 501; n++) bench.Client.Receive([.. Wire.Call(Stream(n)), Frame.WindowUpdate(Stream(n), 0)]);

        Assert.Equal((Calm, "too many resets"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void MalformedRequests_CountAsResets()
    {
        for (var n = 0; n < 501; n++) bench.Client.Receive(Frame.Headers(Stream(n), HeaderEncoder.Encode([("UPPER", "x")]), endStream: true));

        Assert.Equal((Calm, "too many resets"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void Resets_OfStreamsOpenedBefore_Count()
    {
        bench.Bind();
        for (var n = 0; n < 600; n++) bench.Client.Receive(Wire.Call(Stream(n)));
        bench.Client.Now += 2000;

        for (var n = 0; n < 501; n++) bench.Client.Receive(Frame.Reset(Stream(n), ErrorCodes.Cancel));

        Assert.Equal((Calm, "too many resets"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void Resets_OfAnsweredCalls_AreNormal()
    {
        for (var n = 0; n < 2000; n++)
        {
            bench.Client.Receive(Frame.Headers(Stream(n), HeaderEncoder.Encode(Grpc.RequestHeaders("/other/Method", "g"))), Frame.Reset(Stream(n), ErrorCodes.NoError));
            bench.Client.Drain();
        }

        Assert.False(bench.IsClosed);
        Assert.Equal(0, bench.Client.OpenCalls);
    }

    [Fact]
    public void Resets_FewAmongManyCalls_AreNormal()
    {
        for (var n = 0; n < 2000; n++)
        {
            bench.Client.Receive(Frame.Headers(Stream(n), HeaderEncoder.Encode(Grpc.RequestHeaders("/other/Method", "g")), endStream: n % 3 == 0));
            if (n % 3 == 1) bench.Client.Receive(Frame.WindowUpdate(Stream(n), 0));
            bench.Client.Drain();
        }

        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void EmptyData_TwiceInARow_IsClosed()
    {
        bench.Bind();
        bench.Client.Receive(Wire.Call(1, "AddArtifacts", endStream: false));
        for (var n = 0; n < 5; n++) bench.Client.Receive(Frame.Data(1, default), Frame.Data(1, new byte[1]));
        Assert.False(bench.IsClosed);

        bench.Client.Receive(Frame.Data(1, default), Frame.PaddedData(1, default, 9));

        Assert.Equal((Calm, "too many empty DATA frames"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void Pings_UnderData_AreFree()
    {
        var driver = Download();
        for (var n = 0; n < 2000; n++)
        {
            driver.Receive(Frame.Data(1, new byte[10]));
            bench.Client.Receive(Frame.Ping((ulong)n));
            bench.Client.Drain();
        }

        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void WindowUpdates_ForData_AreFree()
    {
        var driver = Download();
        for (var n = 0; n < 3000; n++)
        {
            driver.Receive(Frame.Data(1, new byte[100]));
            bench.Client.Receive([.. Enumerable.Range(0, 10).Select(at => Frame.WindowUpdate(at % 2, 1))]);
            bench.Client.Settle();
            bench.Client.Drain();
        }

        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void Pings_WhileOutputNeverEmpties_DoNotAddUp()
    {
        var driver = Download(1 << 30);
        for (var n = 0; n < 3000; n++)
        {
            driver.Receive(Frame.Data(1, new byte[16_000]));
            bench.Client.Receive(Frame.Ping((ulong)n));
            while (bench.Client.Output.Length > 100_000) bench.Client.Output.Advance(bench.Client.Output.Next.Length);
            Assert.False(bench.Client.Output.IsEmpty && n > 0);
            bench.Client.Settle();
        }

        Assert.False(bench.IsClosed);
    }

    [Fact]
    public void Pings_WhoseAnswersAreNotTaken_AreClosed()
    {
        var driver = Download(1 << 30);
        for (var n = 0; n < 1001; n++)
        {
            driver.Receive(Frame.Data(1, new byte[1]));
            bench.Client.Receive(Frame.Ping((ulong)n));
        }

        Assert.Equal((Calm, "too many queued control frames"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void Answers_ThatAreNotTaken_AreBounded()
    {
        var small = new RelayBench(new RelayOptions { MaxQueuedHeaderBytes = 100_000 });
        small.Client.Receive(Wire.Hello());
        var sent = 0;
        for (; !small.IsClosed && sent < 2000; sent++)
        {
            small.Client.Receive(Frame.Headers(Stream(sent), HeaderEncoder.Encode(Grpc.RequestHeaders("/other/Method", "g")), endStream: true));
            small.Client.Settle();
        }

        Assert.InRange(small.Client.Output.Length, 100_000, 110_000);
        Assert.Equal((Calm, "too many queued headers"), small.Client.Take().GoAway());
    }

    [Fact]
    public void Continuations_TooMany_AreClosed()
    {
        bench.Client.Receive(Frame.Headers(1, default, endHeaders: false));
        for (var n = 0; n < 9; n++) bench.Client.Receive(Frame.Continuation(1, default, endHeaders: false));

        Assert.Equal((Calm, "too many CONTINUATION frames"), bench.Client.Take().GoAway());
    }

    [Fact]
    public void HeaderBlock_ThatUnfoldsWithoutBound_IsClosed()
    {
        byte[] remembered = [0x40, 1, (byte)'b', 0x7f, .. Length(3900 - 127), .. new byte[3900]];
        bench.Client.Receive(Frame.Headers(1, (byte[])[.. remembered, .. Enumerable.Repeat((byte)0xbe, 1000)], endStream: true));

        Assert.Equal((Calm, "headers too large"), bench.Client.Take().GoAway());
    }

    private static int Stream(int n) => (2 * n) + 1;

    /// <summary>The rest of an HPACK integer.</summary>
    private static byte[] Length(int rest) => [(byte)((rest & 0x7f) | 0x80), (byte)(rest >> 7)];

    private DriverConnection Download(uint window = 1 << 20)
    {
        bench.Bind();
        bench.Client.Receive([Frame.WindowUpdate(0, window), Frame.Settings(new Setting(SettingId.InitialWindowSize, window)), .. Wire.Call(1)]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings(), Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders())));
        bench.Client.Settle();
        driver.Drain();
        return driver;
    }
}
