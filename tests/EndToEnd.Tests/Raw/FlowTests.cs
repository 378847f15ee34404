using System.Security.Cryptography;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Slow and stopped peers: nobody else waits for them, and little is held for them.</summary>
public sealed class FlowTests
{
    private const int Megabyte = 1_000_000;

    /// <summary>What may be in the gateway for a stopped peer: two connection windows of 1 MiB, its buffers and the collector's slack.</summary>
    private const long MemoryBound = 32 * Megabyte;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task StoppedDriver_WithSixUploads_DoesNotStopAnother()
    {
        await using var stopped = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });
        await using var live = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(stopped, live);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), RawGateway.To(0));
        (await stopped.CallAsync()).Connection.PauseReading();
        var message = SparkRpc.Request(session, "ada", Proto.Bytes(3, RandomNumberGenerator.GetBytes(5 * Megabyte)));
        var uploads = new List<Task>();
        for (var number = 0; number < 6; number++)
            uploads.Add((await client.OpenAsync(SparkRpc.AddArtifacts, RawGateway.To(0))).SendMessageAsync(message, endStream: true, Deadlines.Transfer));
        await client.PingAsync();

        for (var number = 0; number < 3; number++)
        {
            var small = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(1));
            Assert.Equal(0, await small.StatusAsync(Soon));
        }

        Assert.Contains(uploads, upload => !upload.IsCompleted);
        stopped.Connections[0].ResumeReading();
        await Task.WhenAll(uploads);
        var expected = Convert.ToHexString(SHA256.HashData(Grpc.Frame(message)));
        for (var number = 0; number < 6; number++)
        {
            var taken = await stopped.CallAsync(SparkRpc.AddArtifacts);
            await taken.EndAsync(Deadlines.Transfer);
            Assert.Equal(expected, taken.TakeHash());
        }
    }

    [Fact]
    public async Task PausedStream_BesideAFastOne_StopsItsDriverAndNothingElse()
    {
        const int Size = 20 * Megabyte;
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(H2Options.Client with { CreditsData = false, ConnectionWindowIncrement = 1 << 30, KeepsBodies = false });
        var session = RawGateway.NewSession();
        var body = RandomNumberGenerator.GetBytes(Size);
        var hash = Convert.ToHexString(SHA256.HashData(body));
        var paused = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), RawGateway.To(0));
        var pausedSending = StreamAsync(await driver.CallAsync(), body);
        var fast = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), RawGateway.To(0));
        await client.SendAsync(Frame.WindowUpdate(fast.Id, 1 << 30));
        var before = gateway.Process.Process.ResidentBytes;

        await StreamAsync(await driver.CallAsync(), body);
        Assert.Equal(0, await fast.StatusAsync(Deadlines.Transfer));

        Assert.Equal(hash, fast.TakeHash());
        Assert.False(pausedSending.IsCompleted);
        Assert.InRange(paused.Received, 1, 4_194_304);
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
        await client.SendAsync(Frame.WindowUpdate(paused.Id, 1 << 30));
        await pausedSending;
        Assert.Equal(0, await paused.StatusAsync(Deadlines.Transfer));
        Assert.Equal(hash, paused.TakeHash());
    }

    [Fact]
    public async Task StoppedClient_HoldsLittleInTheGatewayAndLosesNothing()
    {
        const int Size = 60 * Megabyte;
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(H2Options.Client with { KeepsBodies = false, ReceiveBufferBytes = 65_536 });
        var body = RandomNumberGenerator.GetBytes(Size);
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();
        client.PauseReading();
        var before = gateway.Process.Process.ResidentBytes;
        var sending = StreamAsync(taken, body);

        await using var other = await gateway.ConnectAsync();
        var small = await other.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        await (await driver.CallAsync(SparkRpc.Config)).AnswerAsync(SparkRpc.Response(""));
        Assert.Equal(0, await small.StatusAsync(Soon));
        await NoRoomAsync(taken);

        Assert.False(sending.IsCompleted);
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
        client.ResumeReading();
        await sending;
        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), call.TakeHash());
    }

    [Fact]
    public async Task Windows_Of65535OnAllSides_CarryAnySize()
    {
        var smallest = new H2Options { Settings = [new(SettingId.MaxFrameSize, 16_384)], KeepsBodies = false };
        var body = RandomNumberGenerator.GetBytes(5 * Megabyte);
        var session = RawGateway.NewSession();
        var request = Grpc.Frame(SparkRpc.Request(session, "ada", Proto.Bytes(3, body)));
        await using var driver = ScriptedDriver.Start(smallest);
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(smallest);

        var call = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0));
        await call.SendDataAsync(request, endStream: true, Deadlines.Transfer);
        var taken = await driver.CallAsync();
        await taken.EndAsync(Deadlines.Transfer);
        await StreamAsync(taken, body);

        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(request)), taken.TakeHash());
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), call.TakeHash());
    }

    [Fact]
    public async Task Windows_RaisedInMidCall_AreUsedAtOnce()
    {
        const int Raised = 1_000_000;
        await using var driver = ScriptedDriver.Start(new H2Options { CreditsData = false, ConnectionWindowIncrement = 1 << 30 });
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(new H2Options { CreditsData = false, ConnectionWindowIncrement = 1 << 30 });
        var session = RawGateway.NewSession();
        var call = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0));
        var uploading = call.SendMessageAsync(SparkRpc.Request(session, "ada", Proto.Bytes(3, new byte[Raised / 2])), endStream: true, Deadlines.Transfer);
        var taken = await driver.CallAsync();
        await taken.ReceivedAsync(H2Connection.DefaultWindow);
        Assert.False(uploading.IsCompleted);

        await taken.Connection.SendAsync(Frame.Settings(new Setting(SettingId.InitialWindowSize, Raised)));
        await uploading;
        await taken.EndAsync();
        var streaming = StreamAsync(taken, new byte[Raised / 2]);
        await call.ReceivedAsync(H2Connection.DefaultWindow);
        Assert.False(streaming.IsCompleted);
        await client.SendAsync(Frame.Settings(new Setting(SettingId.InitialWindowSize, Raised)));

        await streaming;
        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(Raised / 2, call.Received);
    }

    [Fact]
    public async Task Pings_OfAFastDownload_AreAllAnswered()
    {
        const int Pings = 500;
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(H2Options.Client with { KeepsBodies = false });
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        var streaming = StreamAsync(await driver.CallAsync(), new byte[50 * Megabyte]);

        // As bandwidth probes do: the next one when more has come.
        long answered = 0;
        for (var number = 0; number < Pings && answered < 50 * Megabyte; number++)
        {
            await call.ReceivedAsync(answered + 1);
            await client.PingAsync((ulong)number + 1);
            answered = call.Received;
        }

        await streaming;
        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.DoesNotContain(client.Frames, frame => frame.Type == FrameType.GoAway);
        Assert.DoesNotContain(driver.Connections[0].Frames, frame => frame.Type == FrameType.Ping && !frame.IsAck);
    }

    /// <summary>Whatever is going to be held is held when the driver has had no room for many looks on end.</summary>
    private static async Task NoRoomAsync(H2Stream call)
    {
        const int Looks = 20;
        var looks = 0;
        await Deadlines.UntilAsync("a driver without room", () =>
        {
            looks = call.SendWindow == 0 || call.Connection.SendWindow == 0 ? looks + 1 : 0;
            return looks == Looks;
        });
    }

    private static async Task StreamAsync(H2Stream call, byte[] body)
    {
        await call.SendHeadersAsync(Grpc.ResponseHeaders());
        await call.SendDataAsync(body, limit: Deadlines.Transfer);
        await call.SendHeadersAsync(Grpc.Trailers(), endStream: true);
    }
}
