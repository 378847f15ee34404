using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Sessions that end by themselves, with a real clock and short limits.</summary>
public sealed class ExpiryTests
{
    /// <summary>An idle timeout of three seconds, looked for each second.</summary>
    internal static readonly string[] Short =
    [
        "spark_connect.idle_timeout_minutes=0.05", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=0",
        "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1",
    ];

    private const int Internal = 13;

    /// <summary>By the next look of the job, with a machine that does other things.</summary>
    private static readonly TimeSpan Ended = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task IdleSession_Ends_AndItsClientReadsWhy()
    {
        await using var engine = SlowEngine.Create();
        engine.Go();
        await using var gateway = await StartAsync(engine);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        Assert.Equal(0, await (await CallAsync(client, session)).StatusAsync(Deadlines.Transfer));

        await EndedAsync(gateway, "idle");

        await Deadlines.UntilAsync("the end of its driver", () => gateway.Process.Descendants().Count == 0);
        var late = await CallAsync(client, session);
        Assert.Equal(Internal, await late.StatusAsync());
        var text = Uri.UnescapeDataString(late.Headers["grpc-message"]!);
        Assert.StartsWith("[INVALID_HANDLE.SESSION_CHANGED]", text, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout (3 seconds, last used at", text, StringComparison.Ordinal);
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.ReleaseSession, SparkRpc.Request(session, "ada"))).StatusAsync());
        Assert.Equal(0, await (await CallAsync(client, RawGateway.NewSession())).StatusAsync(Deadlines.Transfer));
    }

    [Fact]
    public async Task SilentOpenCall_LongerThanTheIdleTimeout_Survives()
    {
        await using var engine = SlowEngine.Create(async call =>
        {
            var request = await call.MessageAsync();
            await call.EndAsync();
            await call.SendHeadersAsync(Grpc.ResponseHeaders());
            if (call.Headers["x-open"] is null) await call.SendHeadersAsync(Grpc.Trailers(), endStream: true);
        });
        engine.Go();
        await using var gateway = await StartAsync(engine);
        await using var client = await gateway.ConnectAsync();
        var (silent, idle) = (RawGateway.NewSession(), RawGateway.NewSession());
        var open = await CallAsync(client, silent, ("x-open", "1"));
        await open.HeadersAsync(Deadlines.Transfer);
        Assert.Equal(0, await (await CallAsync(client, idle, ("x-spark-session-id", "new"))).StatusAsync(Deadlines.Transfer));

        // The one that was used last shows that the time of the other is over.
        await EndedAsync(gateway, "idle");

        Assert.False(open.HasEnded);
        await engine.Calls.Single(call => call.Headers["x-open"] is not null).SendHeadersAsync(Grpc.Trailers(), endStream: true);
        Assert.Equal(0, await open.StatusAsync());
        Assert.Equal(0, await (await CallAsync(client, silent)).StatusAsync());
    }

    [Fact]
    public async Task MaxTtl_EndsAnOpenCallWithItsText()
    {
        await using var engine = SlowEngine.Create(async call =>
        {
            await call.MessageAsync();
            await call.SendHeadersAsync(Grpc.ResponseHeaders());
        });
        engine.Go();
        await using var gateway = await StartAsync(engine, "spark_connect.max_ttl_hours=0.001");
        await using var client = await gateway.ConnectAsync();
        var open = await CallAsync(client, RawGateway.NewSession());

        var trailers = await open.EndAsync(Ended);

        Assert.Equal($"{Internal}", trailers["grpc-status"]);
        Assert.Contains("it reached the longest time that a session may live", Uri.UnescapeDataString(trailers["grpc-message"]!), StringComparison.Ordinal);
        await EndedAsync(gateway, "max_ttl");
    }

    private static Task<RawGateway> StartAsync(SlowEngine engine, params string[] more) =>
        RawGateway.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, .. Short, .. more] });

    private static Task<H2Stream> CallAsync(RawH2Client client, string session, params IEnumerable<HeaderField> headers) =>
        client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), headers);

    private static async Task EndedAsync(RawGateway gateway, string reason)
    {
        await Deadlines.UntilAsync($"a session that ended by {reason}", async () =>
            await gateway.Process.MetricAsync("spark_connect_sessions_expired_total", $"reason=\"{reason}\"") >= 1, Ended);
    }
}
