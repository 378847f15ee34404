using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Calls that wait for a driver that starts: they hold up nobody, are bounded, and can be taken back.</summary>
public sealed class ParkedCallTests
{
    private const int ResourceExhausted = 8;

    [Fact]
    public async Task TwentyParkedUploads_LeaveTheConnectionToOthers()
    {
        const int Count = 20;
        const int Size = 200_000;
        await using var live = ScriptedDriver.StartEcho();
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup, live.Address);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        var message = SparkRpc.Request(session, "ada", Proto.Bytes(3, new byte[Size]));
        var calls = new List<H2Stream>();
        for (var number = 0; number < Count; number++) calls.Add(await client.OpenAsync(SparkRpc.ExecutePlan));
        var sending = calls.Select(call => call.SendMessageAsync(message, endStream: true, Deadlines.Transfer)).ToArray();
        await client.PingAsync();

        var small = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        Assert.Equal(0, await small.StatusAsync(TimeSpan.FromSeconds(5)));
        Assert.All(calls, call => Assert.False(call.HasEnded));

        engine.Go();
        await Task.WhenAll(sending);
        foreach (var call in calls) Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(Count, engine.Calls.Count);
        Assert.All(engine.Calls, call => Assert.Equal(message.Length + Grpc.PrefixSize, call.Received));
    }

    [Fact]
    public async Task ParkedBytes_AboveTheBound_AreRefusedAtOnce()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, "relay.parked_bytes_per_connection=100000"] });
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        var message = SparkRpc.Request(session, "ada", Proto.Bytes(3, new byte[40_000]));
        var fits = new[] { await client.CallAsync(SparkRpc.ExecutePlan, message), await client.CallAsync(SparkRpc.ExecutePlan, message) };

        var refused = await client.CallAsync(SparkRpc.ExecutePlan, message);

        Assert.Equal(ResourceExhausted, await refused.StatusAsync());
        Assert.All(fits, call => Assert.False(call.HasEnded));
        engine.Go();
        foreach (var call in fits) Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
    }

    [Fact]
    public async Task ParkedCall_ThatIsTakenBack_NeverReachesTheDriver()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        var cancelled = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-number", "1"));
        var kept = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-number", "2"));
        await client.PingAsync();

        await cancelled.SendResetAsync();
        await client.PingAsync();
        engine.Go();

        Assert.Equal(0, await kept.StatusAsync(Deadlines.Transfer));
        Assert.Equal(["2"], engine.Calls.Select(call => call.Headers["x-number"]));
        Assert.False(cancelled.HasEnded);
    }

    [Fact]
    public async Task FirstCalls_OfOneSessionAtOnce_StartOneDriverAndKeepTheirOrder()
    {
        const int Count = 50;
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        var calls = new List<H2Stream>();
        for (var number = 0; number < Count; number++)
            calls.Add(await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-number", $"{number}")));

        engine.Go();

        foreach (var call in calls) Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(Enumerable.Range(0, Count).Select(number => $"{number}"), engine.Calls.OrderBy(call => call.Id).Select(call => call.Headers["x-number"]));
        Assert.Single(engine.Calls.Select(call => call.Connection).Distinct());
    }

    [Fact]
    public async Task Client_ThatGoesWhileItsDriverStarts_FindsItWhenItComesBack()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        var session = RawGateway.NewSession();
        var first = await gateway.ConnectAsync();
        await first.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"));
        await Deadlines.UntilAsync("a starting driver", () => gateway.Process.Descendants().Count > 0);
        var pids = gateway.Process.Descendants();
        await first.DisposeAsync();

        await using var second = await gateway.ConnectAsync();
        var call = await second.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"));
        await second.PingAsync();
        engine.Go();

        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));

        // Helpers of the start come and go; what supervises the driver stays.
        Assert.NotEmpty(pids.Intersect(gateway.Process.Descendants()));
        Assert.Equal(1, await gateway.Process.MetricAsync("spark_connect_sessions_created_total"));
    }

    [Fact]
    public async Task Release_OfASessionThatNeverDidAnything_StartsNoDriver()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();

        var release = await client.CallAsync(SparkRpc.ReleaseSession, SparkRpc.Request(session, "ada"));

        Assert.Equal(0, await release.StatusAsync());
        Assert.Equal(session, SparkRpc.SessionOf(Grpc.Read(release.Body, out _)));
        Assert.Empty(gateway.Process.Descendants());
    }
}
