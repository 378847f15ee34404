using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Greetings, header blocks and farewells of both connections.</summary>
public sealed class ConnectionTests
{
    private const int ResourceExhausted = 8;
    private const int Unavailable = 14;
    private const string Session = "11111111-2222-4333-8444-555555555555";

    [Theory]
    [InlineData(7_900)]
    [InlineData(9_000)]
    [InlineData(15_000)]
    public async Task Headers_AboveTheDriversLimit_AreRefusedWithoutHarmToTheNeighbour(int size)
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var neighbour = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();

        var large = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0, ("x-large", new string('v', size))));

        Assert.Equal(ResourceExhausted, await large.StatusAsync());
        await taken.AnswerAsync(SparkRpc.Response(Session));
        Assert.Equal(0, await neighbour.StatusAsync());
        Assert.Single(driver.Calls);
    }

    [Fact]
    public async Task Headers_BelowTheDriversLimit_Pass()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0, ("x-large", new string('v', 7_000))));

        Assert.Equal(0, await call.StatusAsync());
        Assert.InRange(driver.Calls.Single().Headers.ListSize, 7_000, 8_192);
    }

    [Fact]
    public async Task HeaderTables_OfTheClient_StayOnItsSide()
    {
        await using var first = ScriptedDriver.StartEcho();
        await using var second = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(first, second);
        await using var client = await gateway.ConnectAsync();

        var remembered = client.NewStream();
        await remembered.SendHeadersAsync(Grpc.RequestHeaders(SparkRpc.Config, "localhost", RawGateway.To(0)));
        await remembered.SendMessageAsync(SparkRpc.Request(RawGateway.NewSession(), "ada"), endStream: true);
        await remembered.EndAsync();
        foreach (var driver in new[] { 0, 1, 0, 1 })
        {
            // "x-note: kept" goes into the table the first time, and is index 62 from then on.
            var call = client.NewStream();
            byte[] note = driver == 0 && first.Calls.Count == 1 ? [0x40, 6, .. "x-note"u8, 4, .. "kept"u8] : [0x80 | 62];
            var block = HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.Config, "localhost", RawGateway.To(driver)));
            await client.SendAsync(Frame.Headers(call.Id, (byte[])[.. block, .. note]));
            await call.SendMessageAsync(SparkRpc.Request(RawGateway.NewSession(), "ada"), endStream: true);
            Assert.Equal(0, await call.StatusAsync());
        }

        Assert.Equal(["kept", "kept"], first.Calls.Skip(1).Select(call => call.Headers["x-note"]));
        Assert.Equal(["kept", "kept"], second.Calls.Select(call => call.Headers["x-note"]));
        Assert.All(first.Calls.Concat(second.Calls), call => Assert.False(call.Headers.UsesDynamicTable));
        Assert.Contains(new Setting(SettingId.HeaderTableSize, 0), first.Connections[0].Frames.First(frame => frame.Type == FrameType.Settings).ReadSettings());
    }

    [Fact]
    public async Task Settings_OfTheClient_AreMirroredToTheDriver()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync(new H2Options { Settings = [new(SettingId.InitialWindowSize, 777_777), new(SettingId.MaxHeaderListSize, 8_192)] });

        await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0))).EndAsync();

        var settings = driver.Connections[0].Frames.First(frame => frame.Type == FrameType.Settings).ReadSettings();
        Assert.Contains(new Setting(SettingId.InitialWindowSize, 777_777), settings);
        Assert.Contains(new Setting(SettingId.MaxHeaderListSize, 8_192), settings);
        Assert.Contains(new Setting(SettingId.EnablePush, 0), settings);
    }

    [Fact]
    public async Task GoAway_OfTheDriverInMidCall_LetsTheCallEndAndTakesNewOnesElsewhere()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var first = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();
        var above = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        await driver.CallAsync();

        await taken.Connection.SendAsync(Frame.GoAway(taken.Id, ErrorCodes.NoError));
        Assert.Equal(Unavailable, await above.StatusAsync());
        var next = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var nextTaken = await driver.CallAsync(SparkRpc.Config);
        await nextTaken.AnswerAsync(SparkRpc.Response(Session));
        await taken.AnswerAsync(SparkRpc.Response(Session));

        Assert.Equal(0, await next.StatusAsync());
        Assert.Equal(0, await first.StatusAsync());
        Assert.NotSame(taken.Connection, nextTaken.Connection);
        await taken.Connection.ClosedAsync();
    }

    [Fact]
    public async Task Shutdown_WithAnIdleClientThatKeepsItsSocket_ClosesItAndEndsWell()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new Support.GatewaySetup { Settings = ["spark_connect.drain_seconds=3600"] }, driver.Address);
        await using var client = await gateway.ConnectAsync(firstId: 3);
        await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0))).EndAsync();

        Assert.Equal(0, await gateway.Process.TerminateAsync());

        Assert.Equal(ErrorCodes.NoError, (await client.FrameAsync(FrameType.GoAway)).Code);
        await client.ClosedAsync();
    }

    [Fact]
    public async Task Shutdown_WithAnOpenCall_EndsItUnavailableAtTheDeadline()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(new Support.GatewaySetup { Settings = ["spark_connect.drain_seconds=1"] }, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();
        await taken.SendHeadersAsync(Grpc.ResponseHeaders());

        Assert.Equal(0, await gateway.Process.TerminateAsync());

        Assert.Equal(Unavailable, await call.StatusAsync());
    }

    [Fact]
    public async Task Health_IsAnsweredByTheGateway()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync("/grpc.health.v1.Health/Check", []);

        Assert.Equal(new byte[] { 8, 1 }, await call.MessageAsync());
        Assert.Equal(0, await call.StatusAsync());
        Assert.Empty(driver.Calls);
    }

    [Fact]
    public async Task AttachedDriver_ThatMoves_IsFollowedWithoutARestart()
    {
        await using var old = ScriptedDriver.StartEcho();
        await using var moved = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(old);
        await gateway.ServesAsync();

        gateway.Process.WriteAttached([new(RawGateway.Name(0), RawGateway.Namespace, moved.Address)]);
        await using var client = await gateway.ConnectAsync();
        await Deadlines.UntilAsync("calls at the new address", async () =>
        {
            await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0))).EndAsync();
            return moved.Calls.Count > 0;
        });
    }
}
