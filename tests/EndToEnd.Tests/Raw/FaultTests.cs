using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Faults that no real driver or client can be made to have at will: exactly one end for each call, and no other call notices.</summary>
public sealed class FaultTests
{
    private const int Unavailable = 14;
    private const string Session = "11111111-2222-4333-8444-555555555555";

    [Fact]
    public async Task Driver_ThatDoesNotAnswerTheDial_MakesTheCallUnavailable()
    {
        using var silent = SilentListener.Start();
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["relay.driver_connect_seconds=1"] }, silent.Address);
        await using var client = await gateway.ConnectAsync();

        var call = await CallAsync(client);

        Assert.Equal(Unavailable, await call.StatusAsync());
        Assert.Contains("no answer within 1 s", Uri.UnescapeDataString(call.Blocks[^1]["grpc-message"]!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Driver_LostAtAnyStage_IsOneEndUnavailable()
    {
        var session = SparkRpc.Response(Session, Proto.Bytes(3, new byte[1_000]));
        (int Blocks, Func<H2Stream, Task> Answer)[] stages =
        [
            (1, _ => Task.CompletedTask),
            (2, call => call.SendHeadersAsync(Grpc.ResponseHeaders())),
            (2, async call =>
            {
                await call.SendHeadersAsync(Grpc.ResponseHeaders());
                await call.SendDataAsync(Grpc.Frame(session).AsMemory(0, 500));
            }),
            (2, async call =>
            {
                await call.SendHeadersAsync(Grpc.ResponseHeaders());
                await call.SendMessageAsync(session);
                await call.SendMessageAsync(session);
            }),
        ];
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        foreach (var (blocks, answer) in stages)
        {
            var call = await CallAsync(client);
            var taken = await driver.CallAsync();
            await answer(taken);
            taken.Connection.Finish();

            Assert.Equal(Unavailable, await call.StatusAsync());
            Assert.Equal((blocks, null), (call.Blocks.Count, call.ResetCode));
        }
    }

    [Fact]
    public async Task Reset_OfTheDriver_KeepsItsCodeWhenever()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        uint[] codes = [.. Enumerable.Range(0, 15).Select(code => (uint)code), 0xff];
        foreach (var code in codes)
        {
            var unanswered = await CallAsync(client);
            await (await driver.CallAsync()).SendResetAsync(code);
            Assert.Equal(code, await unanswered.ResetAsync());

            var begun = await CallAsync(client);
            var taken = await driver.CallAsync();
            await taken.SendHeadersAsync(Grpc.ResponseHeaders());
            await taken.SendMessageAsync(SparkRpc.Response(Session));
            await taken.SendResetAsync(code);
            Assert.Equal(code, await begun.ResetAsync());
            Assert.Equal(Session, SparkRpc.SessionOf(await begun.MessageAsync()));
        }

        Assert.Single(driver.Connections);
    }

    [Fact]
    public async Task GoAway_OfADriverThatTakesOneCallAtATime_SendsTheNextOneElsewhere()
    {
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { Settings = [new(SettingId.MaxConcurrentStreams, 1), new(SettingId.InitialWindowSize, 1_048_576)] });
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var first = await CallAsync(client);
        var taken = await driver.CallAsync();
        await taken.Connection.FrameAsync("the gateway's answer to the settings", frame => frame.Type == FrameType.Settings && frame.IsAck);
        var second = await CallAsync(client);
        await client.PingAsync();

        await taken.Connection.SendAsync(Frame.GoAway(int.MaxValue, ErrorCodes.NoError), Frame.GoAway(taken.Id, ErrorCodes.NoError));
        var moved = await driver.CallAsync();
        await moved.AnswerAsync(SparkRpc.Response(Session));
        await taken.AnswerAsync(SparkRpc.Response(Session));

        Assert.Equal((0, 0), (await first.StatusAsync(), await second.StatusAsync()));
        Assert.NotSame(taken.Connection, moved.Connection);
        Assert.Equal(Grpc.Frame(SparkRpc.Request(Session, "ada")), moved.Body);
    }

    [Fact]
    public async Task Driver_ThatGoesOnBehindItsTrailers_EndsTheCallOnce()
    {
        Func<H2Stream, Task>[] more =
        [
            call => call.Connection.SendAsync(Frame.Data(call.Id, new byte[100])),
            call => call.SendHeadersAsync(Grpc.Trailers(13), endStream: true),
            call => call.SendResetAsync(ErrorCodes.InternalError),
            call => call.Connection.SendAsync(Frame.WindowUpdate(call.Id, 1_000)),
        ];
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        foreach (var send in more)
        {
            var open = await client.OpenAsync(SparkRpc.AddArtifacts, RawGateway.To(0));
            await open.SendMessageAsync(SparkRpc.Request(Session, "ada"));
            var call = await CallAsync(client);
            foreach (var path in new[] { SparkRpc.ExecutePlan, SparkRpc.AddArtifacts })
            {
                var taken = await driver.CallAsync(path);
                await taken.AnswerAsync(SparkRpc.Response(Session));
                await send(taken);
            }

            Assert.Equal((0, 0), (await open.StatusAsync(), await call.StatusAsync()));
            await client.PingAsync();
            Assert.Equal((2, 2), (open.Blocks.Count, call.Blocks.Count));
            Assert.Null(call.ResetCode);
            await open.SendResetAsync();
            var next = await CallAsync(client);
            await (await driver.CallAsync()).AnswerAsync(SparkRpc.Response(Session));
            Assert.Equal(0, await next.StatusAsync());
        }
    }

    [Fact]
    public async Task Client_HalfClosed_IsGone()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        var before = await UsedAsync(gateway, driver);
        await using var client = await gateway.ConnectAsync();
        await CallAsync(client);
        var taken = await driver.CallAsync();

        client.FinishSending();

        await Deadlines.UntilAsync("the end of the call at the driver", () => taken.IsOver);
        await client.ClosedAsync();
        await gateway.OpenFilesBackAsync(before);
    }

    [Fact]
    public async Task Client_KilledInAnUploadToAStoppedDriver_LeavesNoSocketBehind()
    {
        const int Bytes = 64_000_000;
        const int Looks = 20;
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { Settings = [new(SettingId.InitialWindowSize, int.MaxValue)], ConnectionWindowIncrement = 2_000_000_000, ReceiveBufferBytes = 65_536 });
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["relay.slow_peer_seconds=1"] }, driver.Address);
        var before = await UsedAsync(gateway, driver);
        var client = await gateway.ConnectAsync();
        var call = await client.OpenAsync(SparkRpc.AddArtifacts, RawGateway.To(0));
        await call.SendDataAsync(Grpc.Prefix(Bytes));
        await call.SendDataAsync(SparkRpc.Request(Session, "ada"));
        (await driver.CallAsync()).Connection.PauseReading();
        var sending = call.SendDataAsync(new byte[Bytes]);
        var looks = 0;
        await Deadlines.UntilAsync("a way to the driver that stays full", () => (looks = client.SendWindow == 0 || call.SendWindow == 0 ? looks + 1 : 0) > Looks);

        client.Abort();

        await Assert.ThrowsAnyAsync<Exception>(() => sending);
        await gateway.OpenFilesBackAsync(before);
        await client.DisposeAsync();
    }

    [Fact]
    public async Task Terminated_WithAnOpenCallAndAHealthWatch_ServesTheCallAndASecondSignalChangesNothing()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["spark_connect.drain_seconds=3600"] }, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var watch = await client.CallAsync("/grpc.health.v1.Health/Watch", []);
        Assert.Equal([8, 1], await watch.MessageAsync());
        var call = await CallAsync(client);
        var taken = await driver.CallAsync();

        gateway.Process.Process.Signal("TERM");
        Assert.Equal(int.MaxValue, (await client.FrameAsync(FrameType.GoAway)).LastStreamId);
        Assert.Equal([8, 2], await watch.MessageAsync());
        Assert.Equal(Unavailable, await watch.StatusAsync());
        gateway.Process.Process.Signal("TERM");
        await taken.AnswerAsync(SparkRpc.Response(Session));

        Assert.Equal(0, await call.StatusAsync());
        await client.ClosedAsync();
        Assert.Equal([int.MaxValue, call.Id], client.Frames.Where(frame => frame.Type == FrameType.GoAway).Select(frame => frame.LastStreamId));
        Assert.Equal(0, await gateway.Process.Process.ExitAsync());
    }

    /// <summary>Open files once everything is loaded and the client that caused it has gone.</summary>
    private static async Task<int> UsedAsync(RawGateway gateway, ScriptedDriver driver)
    {
        await using (var client = await gateway.ConnectAsync())
        {
            var call = await CallAsync(client);
            await (await driver.CallAsync()).AnswerAsync(SparkRpc.Response(Session));
            Assert.Equal(0, await call.StatusAsync());
        }

        await driver.Connections[0].ClosedAsync();
        return gateway.OpenFiles();
    }

    private static Task<H2Stream> CallAsync(RawH2Client client) => client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
}
