using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.TestLibrary;

public sealed class TcpCutterTests
{
    private const string Session = "11111111-2222-4333-8444-555555555555";

    [Fact]
    public async Task Call_SplitAndSlow_Passes()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var cutter = TcpCutter.Start(driver.Port);
        (cutter.SplitBytes, cutter.Delay) = (50, TimeSpan.FromMilliseconds(1));
        await using var client = await RawH2Client.ConnectAsync(cutter.Port);

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"));

        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(1, cutter.Calls);
    }

    [Theory]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.Rst)]
    public async Task Plan_InsideADataFrame_CutsBothEndsOnce(Cut cut)
    {
        await using var driver = ScriptedDriver.Start();
        await using var cutter = TcpCutter.Start(driver.Port);
        var plan = cutter.CutIn(Way.Down, cut, frame => frame is { Type: FrameType.Data, Length: > 1_000 }, bytesIn: 400);
        await using var client = await RawH2Client.ConnectAsync(cutter.Port);
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"));
        var taken = await driver.CallAsync();

        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        await taken.SendDataAsync(new byte[900]);
        await taken.SendDataAsync(new byte[2_000]);
        await plan.DoneAsync();

        await client.ClosedAsync();
        await taken.Connection.ClosedAsync();
        Assert.Equal(900, call.Received);
        Assert.NotNull(client.Failure);
        await using var again = await RawH2Client.ConnectAsync(cutter.Port);
        var second = await again.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"));
        await (await driver.CallAsync()).AnswerAsync(new byte[5_000]);
        Assert.Equal(0, await second.StatusAsync());
    }

    [Fact]
    public async Task Stop_OneWay_HoldsWhatComesUntilContinue()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var cutter = TcpCutter.Start(driver.Port);
        await using var client = await RawH2Client.ConnectAsync(cutter.Port);
        await client.PingAsync();

        cutter.Stop(Way.Down);
        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"));
        await Deadlines.UntilAsync("the driver's answer", () => driver.Calls.Count == 1 && driver.Calls[0].HasEnded);

        Assert.Empty(call.Blocks);
        cutter.Continue(Way.Down);
        Assert.Equal(0, await call.StatusAsync());
    }
}
