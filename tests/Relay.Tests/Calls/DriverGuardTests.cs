using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>A driver that misbehaves loses its connection, and its calls end UNAVAILABLE; a client pays for what it makes drivers do.</summary>
public sealed class DriverGuardTests
{
    private const int Unavailable = 14;

    private readonly RelayBench bench;

    public DriverGuardTests()
    {
        bench = new RelayBench(new RelayOptions { MaxConcurrentStreams = 4 });
        bench.Bind();
        bench.Client.Receive(Wire.Hello());
        bench.Client.Drain();
    }

    public static TheoryData<uint, string, Frame[]> Breaches() => new()
    {
        { 3, "flow control window overrun", [Answer(1), Frame.Data(1, new byte[40_000]), Frame.Data(1, new byte[25_536])] },
        { 3, "flow control window overrun", [.. Enumerable.Range(0, 70).Select(_ => Frame.Data(3, new byte[16_000]))] },
        { 11, "headers too large", [Frame.Headers(1, HeaderEncoder.Encode(Enumerable.Range(0, 300).Select(n => new HeaderField($"h{n}", "x"))))] },
        { 11, "headers too large", [Frame.Headers(1, HeaderEncoder.Encode([("a", new string('x', 32_750))]))] },
        { 11, "too many PINGs", [.. Enumerable.Range(0, 1002).Select(n => Frame.Ping((ulong)n))] },
        { 11, "too many SETTINGS", [.. Enumerable.Range(0, 20).Select(_ => Frame.Settings())] },
        { 11, "too many frames without effect", [.. Enumerable.Range(0, 1002).Select(_ => Frame.SettingsAck)] },
        { 11, "too many frames without effect", [Answer(1), .. Enumerable.Range(0, 1001).Select(_ => Frame.Data(1, default))] },
        { 11, "too many WINDOW_UPDATEs", [.. Enumerable.Range(0, 10_100).Select(_ => Frame.WindowUpdate(0, 1))] },
        { 11, "too many frames on closed streams", [.. Enumerable.Range(0, 10_100).Select(_ => Frame.Reset(3, 0))] },
        { 11, "too many CONTINUATION frames", [Frame.Headers(1, default, endHeaders: false), .. Enumerable.Range(0, 9).Select(_ => Frame.Continuation(1, default, false))] },
        { 9, "broken header compression", [Frame.Headers(1, new byte[] { 0xbe })] },
        { 1, "protocol error", [Frame.Data(7, new byte[1])] },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void Breach_OfADriver_EndsItsCallsAndNothingElse(uint code, string reason, Frame[] frames)
    {
        bench.Client.Receive([.. Wire.Call(1), .. Wire.Call(3)]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings(), Frame.SettingsAck, Frame.Reset(3, ErrorCodes.Cancel));
        driver.Drain();
        bench.Client.Drain();
        bench.Ended.Clear();

        driver.Receive(frames);

        Assert.Equal((code, reason), driver.Take().GoAway());
        Assert.Equal([(CallSide.Driver, reason)], bench.Misuse);
        Assert.Equal(Unavailable, Assert.Single(bench.Ended).GrpcStatus);
        bench.Client.Settle();
        Assert.DoesNotContain(bench.Client.Take(), f => f.Type is FrameType.RstStream or FrameType.GoAway);
        Assert.True(bench.Client.Book.IsFull);

        bench.Client.Receive(Wire.Call(5));
        Assert.Equal(2, bench.Connected.Count);
        Assert.False(bench.IsClosed);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(int.MaxValue, 3)]
    public void WindowUpdate_ThatBreaksAStream_EndsThatCallOnly(int increment, uint code)
    {
        bench.Client.Receive([.. Wire.Call(1), .. Wire.Call(3)]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings());
        driver.Drain();

        driver.Receive(Frame.WindowUpdate(1, (uint)increment));

        Assert.Equal([(1, code)], driver.Take().Where(f => f.Type == FrameType.RstStream).Select(f => (f.StreamId, f.Code)));
        Assert.Equal(Unavailable, Assert.Single(bench.Ended).GrpcStatus);
        Assert.Equal(1, bench.Client.OpenCalls);
    }

    [Fact]
    public void SmallerWindow_IsAskedOfTheDriverOnlyOnceItHasConfirmedIt()
    {
        bench.Client.Receive(Wire.Call(1));
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings(), Frame.SettingsAck, Answer(1));
        bench.Client.Receive(Frame.Settings(new Setting(SettingId.InitialWindowSize, 1000)));

        driver.Receive(Frame.Data(1, new byte[50_000]));
        Assert.Empty(bench.Misuse);

        driver.Receive(Frame.SettingsAck, Frame.Data(1, new byte[1]));
        Assert.Equal("flow control window overrun", Assert.Single(bench.Misuse).Reason);
    }

    [Fact]
    public void CancelledCalls_OccupyTheirSlotsUntilTheDriverConfirms()
    {
        CancelFour();
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings());
        driver.Drain();
        Assert.Equal([9], Refused(9));

        driver.Receive(Frame.Reset(3, 5));
        Assert.Empty(Refused(11));
        Assert.Equal([13], Refused(13));

        bench.Client.Now += 1000;
        Assert.Empty(Refused(15));
    }

    [Fact]
    public void CancelledCalls_OfADriverThatTakesNothing_OccupyTheirSlots()
    {
        CancelFour();
        bench.Client.Now += 60_000;
        Assert.Equal([9], Refused(9));

        bench.Connected[0].Drain();
        Assert.Empty(Refused(11));
    }

    [Fact]
    public void CancelledCalls_BehindAFullDriver_AreForgotten()
    {
        var wide = new RelayBench();
        wide.Bind();
        wide.Client.Receive([.. Wire.Hello(), .. Wire.Bytes(Wire.Call(1))]);
        var driver = Assert.Single(wide.Connected);
        driver.Receive(Frame.Settings(new Setting(SettingId.MaxConcurrentStreams, 1)));
        for (var n = 1; n <= 1000; n++)
        {
            wide.Client.Now += 10;
            wide.Client.Receive([.. Wire.Call((2 * n) + 1), Frame.Reset((2 * n) + 1, ErrorCodes.Cancel)]);
            wide.Client.Settle();
        }

        wide.Client.Receive(Wire.Call(2003));
        driver.Receive(Frame.Reset(1, ErrorCodes.Cancel));

        Assert.Equal([2003], driver.Calls.Select(c => c.ClientStream));
        Assert.Equal(2, driver.Take().Count(f => f.Type == FrameType.Headers));
        Assert.Equal(1001, wide.Ended.Count);
        Assert.Equal(0, wide.Total.Bytes);
    }

    [Fact]
    public void WaitingCalls_WhoseHeadersAreTooLarge_AllEnd()
    {
        var wide = new RelayBench();
        wide.Bind();
        wide.Client.Receive(Wire.Hello());
        var headers = Wire.Headers("ExecutePlan", ("x-large", new string('x', 9000)));
        for (var n = 0; n < 5000; n++)
        {
            wide.Client.Receive(Frame.Headers((2 * n) + 1, headers), Frame.Data((2 * n) + 1, Wire.Message(), endStream: true));
            wide.Client.Settle();
        }

        Assert.Single(wide.Connected).Receive(Frame.Settings(new Setting(SettingId.MaxHeaderListSize, 8192)));

        Assert.Equal([(8, 5000)], wide.Ended.GroupBy(e => e.GrpcStatus).Select(g => (g.Key, g.Count())));
        Assert.Empty(wide.Misuse);
    }

    private static Frame Answer(int stream) => Frame.Headers(stream, HeaderEncoder.Encode(Grpc.ResponseHeaders()));

    private void CancelFour()
    {
        for (var stream = 1; stream < 9; stream += 2) bench.Client.Receive([.. Wire.Call(stream), Frame.Reset(stream, ErrorCodes.Cancel)]);
        bench.Client.Drain();
    }

    private int[] Refused(int stream)
    {
        bench.Client.Receive(Wire.Call(stream));
        return [.. bench.Client.Take().Where(f => f.Type == FrameType.RstStream && f.Code == ErrorCodes.RefusedStream).Select(f => f.StreamId)];
    }
}
