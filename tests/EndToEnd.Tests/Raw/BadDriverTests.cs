using System.Net;
using System.Net.Sockets;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Drivers that break the protocol, vanish or were never there: the client waits for them as for a lost connection, and others notice nothing.</summary>
public sealed class BadDriverTests
{
    private const int Unavailable = 14;

    private static readonly (string What, byte[] Bytes)[] Answers =
    [
        ("HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray()),
        ("garbage", Enumerable.Repeat((byte)0xff, 100).ToArray()),
        ("nothing", []),
        ("half a frame", [.. Frame.Settings().ToBytes(), 0, 0, 9]),
        ("a header block that is none", [.. Frame.Settings().ToBytes(), .. Frame.Headers(1, new byte[] { 0x80 }).ToBytes()]),
        ("data before headers", [.. Frame.Settings().ToBytes(), .. Frame.Data(1, new byte[10]).ToBytes()]),
        ("a stream that nobody opened", [.. Frame.Settings().ToBytes(), .. Frame.Headers(7, HeaderEncoder.Encode(Grpc.ResponseHeaders())).ToBytes()]),
        ("a frame above the limit", [.. Frame.Settings().ToBytes(), 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
        ("an index above 61", [.. Frame.Settings().ToBytes(), .. Frame.Headers(1, new byte[] { 0xbe }).ToBytes()]),
    ];

    [Fact]
    public async Task Drivers_ThatAnswerBadly_MakeTheirCallsUnavailableAndNoOthers()
    {
        var bad = Answers.Select(answer => new OneAnswer(answer.Bytes)).ToArray();
        await using var good = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new Support.GatewaySetup(), [.. bad.Select(driver => driver.Address), good.Address]);
        await using var client = await gateway.ConnectAsync();

        for (var number = 0; number < bad.Length; number++)
        {
            var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(number));
            Assert.True(await call.StatusAsync() == Unavailable, $"After {Answers[number].What}: {call}");
            var next = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(bad.Length));
            Assert.Equal(0, await next.StatusAsync());
        }

        foreach (var driver in bad) await driver.DisposeAsync();
    }

    [Fact]
    public async Task Driver_ThatIsNotThere_MakesTheCallUnavailableWithItsName()
    {
        await using var gateway = await RawGateway.StartAsync(new Support.GatewaySetup(), $"127.0.0.1:{Ports.Free()}");
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));

        Assert.Equal(Unavailable, await call.StatusAsync());
        Assert.Contains(RawGateway.Name(0), Uri.UnescapeDataString(call.Blocks[^1]["grpc-message"]!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Driver_LostInTheMiddleOfAResponse_EndsItWithTrailers()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();
        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        await taken.SendMessageAsync(SparkRpc.Response(session));
        await call.MessageAsync();

        taken.Connection.Abort();

        Assert.Equal(Unavailable, await call.StatusAsync());
        Assert.Equal(2, call.Blocks.Count);
        var again = await client.CallAsync(SparkRpc.ReattachExecute, SparkRpc.Request(session, "ada"), RawGateway.To(0));
        await (await driver.CallAsync(SparkRpc.ReattachExecute)).AnswerAsync(SparkRpc.Response(session));
        Assert.Equal(0, await again.StatusAsync());
    }

    [Fact]
    public async Task Driver_ThatResetsACall_PassesItsCodeOn()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));

        await (await driver.CallAsync()).SendResetAsync(ErrorCodes.InternalError);

        Assert.Equal(ErrorCodes.InternalError, await call.ResetAsync());
        await client.PingAsync();
    }

    /// <summary>A server that reads a little, says one thing and hangs up.</summary>
    private sealed class OneAnswer : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly byte[] answer;
        private readonly Task serving;

        public OneAnswer(byte[] answer)
        {
            this.answer = answer;
            listener.Start();
            serving = ServeAsync();
        }

        public string Address => listener.LocalEndpoint.ToString()!;

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await serving;
        }

        private async Task ServeAsync()
        {
            var buffer = new byte[65_536];
            try
            {
                while (true)
                {
                    using var socket = await listener.AcceptSocketAsync();
                    if (await socket.ReceiveAsync(buffer) == 0) continue;
                    if (answer.Length > 0) await socket.SendAsync(answer);
                    socket.Shutdown(SocketShutdown.Send);
                    while (await socket.ReceiveAsync(buffer) > 0)
                    {
                    }
                }
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException)
            {
                // The listener was closed, or the gateway broke off.
            }
        }
    }
}
