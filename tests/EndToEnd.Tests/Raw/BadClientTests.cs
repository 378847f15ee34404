using System.Globalization;
using System.Text;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Input that no client should send: a clear answer, nothing left behind, and the next client is served.</summary>
public sealed class BadClientTests(EchoGateway shared) : IClassFixture<EchoGateway>
{
    private const int InvalidArgument = 3;
    private const int FailedPrecondition = 9;
    private const int Unimplemented = 12;
    private const int OneMegabyte = 1_000_000;

    [Fact]
    public async Task Http1Request_IsToldWhatThePortSpeaks()
    {
        var gateway = shared.Begin();

        var answer = Encoding.ASCII.GetString(await RawH2Client.ExchangeAsync(gateway.Process.Port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray()));

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        var parts = answer.Split("\r\n\r\n");
        Assert.Contains("sc://", parts[1], StringComparison.Ordinal);
        Assert.Contains($"Content-Length: {parts[1].Length}\r\n", answer, StringComparison.Ordinal);
        await gateway.ServesAsync();
    }

    [Theory]
    [InlineData("00ff10203040506070")]
    [InlineData("160301020001000001fc0303")]
    [InlineData("505249202a20485454502f322e300d0a0d0a534d0d0a0d0b")]
    public async Task Garbage_ClosesTheConnection(string hex)
    {
        var gateway = shared.Begin();
        var before = await FilesWhenQuietAsync(gateway);

        await RawH2Client.ExchangeAsync(gateway.Process.Port, Convert.FromHexString(hex));

        await gateway.OpenFilesBackAsync(before);
        await gateway.ServesAsync();
    }

    [Fact]
    public async Task Garbage_AfterTheGreeting_EndsWithGoAwayAndFreesTheDriver()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        var call = await driver.CallAsync();

        await client.SendRawAsync(Enumerable.Repeat((byte)0xff, 64).ToArray());

        Assert.NotEqual(ErrorCodes.NoError, (await client.FrameAsync(FrameType.GoAway)).Code);
        await client.ClosedAsync();
        await call.Connection.ClosedAsync();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/spark.connect.SparkConnectService/")]
    [InlineData("/other.Service/Method")]
    [InlineData("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")]
    public async Task Path_OfAnotherService_IsUnimplemented(string path)
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(path, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));

        await ExpectAsync(call, Unimplemented);
        Assert.Empty(shared.NewCalls());
        await gateway.ServesAsync();
    }

    [Theory]
    [InlineData("", "session_id")]
    [InlineData("12050a03616461", "session_id")]
    [InlineData("0a00", "session_id")]
    [InlineData("ffffffffffffffffffff", "protobuf")]
    [InlineData("0aff", "protobuf")]
    [InlineData("0b0b0b0b", "protobuf")]
    public async Task Message_WithoutItsSession_IsInvalid(string hex, string says)
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.Config, Convert.FromHexString(hex), RawGateway.To(0));

        Assert.Contains(says, await ExpectAsync(call, InvalidArgument), StringComparison.Ordinal);
        Assert.Empty(shared.NewCalls());
        await client.PingAsync();
    }

    [Fact]
    public async Task Call_WithoutAMessage_IsInvalid()
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();
        var headers = Grpc.RequestHeaders(SparkRpc.Config, "localhost", RawGateway.To(0));

        var ended = client.NewStream();
        await ended.SendHeadersAsync(headers, endStream: true);
        await ExpectAsync(ended, InvalidArgument);

        var cut = client.NewStream();
        await cut.SendHeadersAsync(headers);
        await cut.SendDataAsync(Grpc.Frame(SparkRpc.Request(RawGateway.NewSession(), "ada")).AsMemory(0, 9), endStream: true);
        await ExpectAsync(cut, InvalidArgument);
        Assert.Empty(shared.NewCalls());
    }

    [Fact]
    public async Task Ids_OfAMegabyte_AreRefusedAndTheConnectionLives()
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();
        var huge = new string('a', OneMegabyte);

        await ExpectAsync(await SendHugeAsync(client, SparkRpc.Request(huge, "ada")), InvalidArgument);
        await ExpectAsync(await SendHugeAsync(client, SparkRpc.Request(RawGateway.NewSession(), huge)), InvalidArgument);

        var good = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        Assert.Equal(0, await good.StatusAsync());
        Assert.Single(shared.NewCalls());
    }

    [Fact]
    public async Task SessionName_OfTwentyKilobytes_IsInvalid()
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();
        var block = HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.Config, "localhost", ("x-spark-session-id", new string('a', 20_000)), ("x-spark-namespace", "ns")));
        var call = client.NewStream();

        await client.SendAsync(Frame.Headers(call.Id, block.AsMemory(0, 16_384), endHeaders: false), Frame.Continuation(call.Id, block.AsMemory(16_384)));
        await call.SendMessageAsync(SparkRpc.Request(RawGateway.NewSession(), "ada"), endStream: true);

        Assert.Contains("253", await ExpectAsync(call, InvalidArgument), StringComparison.Ordinal);
        Assert.Empty(shared.NewCalls());
    }

    [Fact]
    public async Task HeaderBlock_OfAMegabyte_EndsTheConnectionOnly()
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();
        var before = gateway.Process.Process.ResidentBytes;
        var block = HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.Config, "localhost", ("x-spark-session-id", new string('a', OneMegabyte))));
        var frames = block.Chunk(16_384).Select((part, at) => at == 0 ? Frame.Headers(1, part, endHeaders: false) : Frame.Continuation(1, part, endHeaders: false)).ToArray();

        // The gateway may close before it has all of it.
        await Record.ExceptionAsync(() => client.SendAsync(frames));

        await client.ClosedAsync();
        Assert.True(gateway.Process.Process.ResidentBytes - before < 20 * OneMegabyte);
        await gateway.ServesAsync();
    }

    [Theory]
    [InlineData("nobody", RawGateway.Namespace, FailedPrecondition)]
    [InlineData("driver-0", "elsewhere", FailedPrecondition)]
    [InlineData("Not_A_Name", RawGateway.Namespace, InvalidArgument)]
    [InlineData("driver-0", "Not_A_Namespace", InvalidArgument)]
    public async Task SessionName_ThatIsUnknownOrInvalid_IsRefusedWithTheName(string name, string space, int status)
    {
        var gateway = shared.Begin();
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), ("x-spark-session-id", name), ("x-spark-namespace", space));

        var text = await ExpectAsync(call, status);
        Assert.True(text.Contains(name, StringComparison.Ordinal) || text.Contains(space, StringComparison.Ordinal), text);
        Assert.Empty(shared.NewCalls());
    }

    [Fact]
    public async Task SilentClient_IsClosedInBoundedTime()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new Support.GatewaySetup { Settings = ["relay.slow_peer_seconds=1"] }, driver.Address);
        var before = await FilesWhenQuietAsync(gateway);

        await RawH2Client.ExchangeAsync(gateway.Process.Port, Array.Empty<byte>());
        await RawH2Client.ExchangeAsync(gateway.Process.Port, H2Connection.Preface.AsMemory(0, 10));

        await gateway.OpenFilesBackAsync(before);
    }

    /// <summary>A whole answer with details that clients can show; gives its text.</summary>
    private static async Task<string> ExpectAsync(H2Stream call, int status)
    {
        var trailers = await call.EndAsync();
        Assert.Equal(status.ToString(CultureInfo.InvariantCulture), trailers["grpc-status"]);
        Assert.Equal("200", call.Headers[":status"]);
        Assert.Equal("application/grpc", call.Headers["content-type"]);
        Assert.NotNull(trailers["grpc-status-details-bin"]);
        return Uri.UnescapeDataString(trailers["grpc-message"]!);
    }

    /// <summary>Stops sending when it is answered, as clients do.</summary>
    private static async Task<H2Stream> SendHugeAsync(RawH2Client client, byte[] message)
    {
        var call = await client.OpenAsync(SparkRpc.Config, RawGateway.To(0));
        var sending = call.SendMessageAsync(message, endStream: true);
        await call.EndAsync();
        await call.SendResetAsync();
        Assert.False(sending.IsFaulted);
        return call;
    }

    private static async Task<int> FilesWhenQuietAsync(RawGateway gateway)
    {
        await gateway.ServesAsync();
        var last = -1;
        await Deadlines.UntilAsync("a steady number of open files", () => last == (last = gateway.OpenFiles()));
        return last;
    }
}
