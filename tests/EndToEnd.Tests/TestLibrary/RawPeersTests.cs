using System.Security.Cryptography;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.TestLibrary;

/// <summary>The raw client and the scripted driver against each other, without a gateway between them.</summary>
public sealed class RawPeersTests
{
    private const string Session = "11111111-2222-4333-8444-555555555555";

    [Fact]
    public async Task Call_EchoDriver_IsAnsweredWithItsSession()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"));

        Assert.Equal(Session, SparkRpc.SessionOf(await call.MessageAsync()));
        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal("200", call.Headers[":status"]);
        Assert.Equal("ada", SparkRpc.UserOf(Grpc.Read(driver.Calls.Single().Body, out _)));
    }

    [Fact]
    public async Task Message_LargerThanAllWindows_ArrivesWhole()
    {
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });
        await using var client = await RawH2Client.ConnectAsync(driver.Port, H2Options.Client with { KeepsBodies = false });
        var message = Grpc.Frame(RandomNumberGenerator.GetBytes(12_000_000));
        var hash = Convert.ToHexString(SHA256.HashData(message));

        var call = await client.OpenAsync(SparkRpc.AddArtifacts);
        await call.SendDataAsync(message, endStream: true);
        var taken = await driver.CallAsync(SparkRpc.AddArtifacts);
        await taken.EndAsync();
        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        await taken.SendDataAsync(message);
        await taken.SendHeadersAsync(Grpc.Trailers(), endStream: true);

        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(hash, taken.TakeHash());
        Assert.Equal(hash, call.TakeHash());
    }

    [Fact]
    public async Task Sender_ReaderThatGivesNoCredit_StopsAtTheWindow()
    {
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { CreditsData = false });
        await using var client = await RawH2Client.ConnectAsync(driver.Port);
        await client.FrameAsync(FrameType.Settings);

        var call = await client.OpenAsync(SparkRpc.AddArtifacts);
        var sending = call.SendDataAsync(new byte[2_000_000]);
        var taken = await driver.CallAsync();
        await taken.ReceivedAsync(1_048_576);
        await client.PingAsync();

        Assert.False(sending.IsCompleted);
        Assert.Equal(1_048_576, taken.Received);
        Assert.Equal(0, client.SendWindow);
        client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => sending);
    }

    [Fact]
    public async Task Frames_SentByteByByte_AreReadWhole()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);
        var call = client.NewStream();
        var block = HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.Config, driver.Address, ("x-long", new string('v', 300))));

        await client.SendByteByByteAsync((byte[])
        [
            .. Frame.Headers(call.Id, block.AsMemory(0, 100), endHeaders: false).ToBytes(),
            .. Frame.Continuation(call.Id, block.AsMemory(100)).ToBytes(),
            .. Frame.PaddedData(call.Id, Grpc.Frame(SparkRpc.Request(Session, "ada")), 7, endStream: true).ToBytes(),
        ]);

        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(new string('v', 300), driver.Calls.Single().Headers["x-long"]);
    }

    [Fact]
    public async Task Reset_ByTheClient_IsSeenByTheDriver()
    {
        await using var driver = ScriptedDriver.Start();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"));
        var taken = await driver.CallAsync();

        await call.SendResetAsync();

        Assert.Equal(ErrorCodes.Cancel, await taken.ResetAsync());
    }

    [Fact]
    public async Task Wait_ForAnAnswerOnABrokenConnection_FailsAtOnceWithTheReason()
    {
        await using var driver = ScriptedDriver.Start();
        await using var client = await RawH2Client.ConnectAsync(driver.Port);
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"));
        (await driver.ConnectionAsync()).Abort();

        var failure = await Assert.ThrowsAsync<IOException>(() => call.EndAsync());

        Assert.Contains("No the end of the stream: stream 1", failure.Message, StringComparison.Ordinal);
    }
}
