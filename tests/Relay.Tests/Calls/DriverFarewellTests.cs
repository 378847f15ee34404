using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>Calls that wait for a place on a driver connection, when that connection takes no more, and when they are taken back.</summary>
public sealed class DriverFarewellTests
{
    private readonly RelayBench bench = new();

    public DriverFarewellTests()
    {
        bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        bench.Bind();
    }

    [Fact]
    public void GoAway_WithWaitingCalls_SendsThemOnANewConnectionInTheirOrder()
    {
        var old = Busy();
        Send(5, "b");
        Send(7, "c");
        Assert.Equal(2, old.Waiting.Count());

        old.Receive(Frame.GoAway(1, ErrorCodes.NoError).ToBytes());
        bench.Client.Settle();

        Assert.Equal(2, bench.Connected.Count);
        Assert.Empty(bench.Ended);
        Assert.Equal([5, 7], bench.Connected[1].Calls.OrderBy(call => call.DriverStream).Select(call => call.ClientStream));
        Drain(bench.Connected[1]);
        Assert.Equal(0, bench.Connected[1].Account.Held);
    }

    [Fact]
    public void GoAway_WithParkedBytesAmongTheWaiting_LeavesTheBooksRight()
    {
        var old = Busy();
        for (var stream = 5; stream <= 65; stream += 2) Send(stream, new string('x', 40_000));
        bench.Client.Settle();
        Assert.NotEqual(0, bench.Total.Bytes);

        old.Receive(Frame.GoAway(1, ErrorCodes.NoError).ToBytes());
        bench.Client.Settle();
        var added = bench.Connected[1];
        added.Receive([.. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1_000_000)).ToBytes(), .. Frame.WindowUpdate(0, 10_000_000).ToBytes()]);
        for (var n = 0; n < 100; n++)
        {
            bench.Client.Settle();
            Drain(added);
        }

        Assert.Equal(31, added.Calls.Count());
        Assert.Equal((0, 0), (added.Account.Held, added.Account.ExtraGrants));
        Assert.Equal(0, bench.Total.Bytes);
        Assert.Single(old.Calls);
    }

    [Fact]
    public void WaitingCall_ThatIsTakenBack_LeavesNoTraceForTheCallAfterIt()
    {
        var old = Busy();
        Send(5, "taken back");
        bench.Client.Receive(Frame.Reset(5, ErrorCodes.Cancel).ToBytes());
        Send(7, "c");

        Assert.Equal([7], old.Waiting.Select(call => call.ClientStream));
        old.Receive(Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders(("grpc-status", "0"))), endStream: true).ToBytes());
        bench.Client.Settle();

        Assert.Equal([7], old.Calls.Select(call => call.ClientStream));
        Assert.Empty(old.Waiting);
    }

    /// <summary>A driver that takes one call at a time, and has it.</summary>
    private DriverConnection Busy()
    {
        Send(1, "a");
        var driver = Assert.Single(bench.Connected);
        driver.Receive(Frame.Settings(new Setting(SettingId.MaxConcurrentStreams, 1)).ToBytes());
        Drain(driver);
        return driver;
    }

    private static void Drain(DriverConnection driver)
    {
        while (!driver.Output.IsEmpty) driver.Output.Advance(driver.Output.Next.Length);
    }

    private void Send(int stream, string plan)
    {
        var message = Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. Proto.Text(3, plan)]);
        bench.Client.Receive(Frame.Headers(stream, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/ExecutePlan", "gateway:15002"))).ToBytes());
        for (var at = 0; at < message.Length; at += 16_384)
        {
            var part = message.AsMemory(at, Math.Min(16_384, message.Length - at));
            bench.Client.Receive(Frame.Data(stream, part, endStream: at + part.Length == message.Length).ToBytes());
            bench.Client.Settle();
        }
    }
}
