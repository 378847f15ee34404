using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>A gateway that has started one driver and relayed so many calls to it, one after the other, with a client that stays.</summary>
internal sealed class BusyGateway : IAsyncDisposable
{
    private readonly SlowEngine engine;
    private readonly RawH2Client client;

    private BusyGateway(SlowEngine engine, RawGateway gateway, RawH2Client client) => (this.engine, Gateway, this.client) = (engine, gateway, client);

    public RawGateway Gateway { get; }

    public static async Task<BusyGateway> StartAsync(int calls, params string[] settings)
    {
        var engine = SlowEngine.Create();
        engine.Go();
        var gateway = await RawGateway.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, "spark_connect.expiry_interval_seconds=1", .. settings] });
        var scene = new BusyGateway(engine, gateway, await gateway.ConnectAsync());
        var session = RawGateway.NewSession();
        for (var n = 0; n < calls; n++)
        {
            var call = await scene.client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"));
            Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        }

        await Deadlines.UntilAsync("the count of all calls and of a look for sessions that end", async () =>
            await gateway.Process.MetricAsync("spark_connect_proxy_requests_total", "rpc=\"ExecutePlan\"") >= calls
            && (await gateway.Process.GetAsync("/metrics")).Contains("spark_connect_sessions_near_max_ttl{", StringComparison.Ordinal));
        return scene;
    }

    public Task<double> ValueAsync(string name, params string[] labels) => Gateway.Process.MetricAsync(name, labels);

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await Gateway.DisposeAsync();
        await engine.DisposeAsync();
    }
}
