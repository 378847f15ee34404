using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>What a collector of OpenTelemetry gets, and what a gateway does without the one it was told of.</summary>
public sealed class CollectorTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string ClientSpan = "b7ad6b7169203331";
    private const string Traceparent = $"00-{Trace}-{ClientSpan}-01";
    private const string TakesNone = "takes no telemetry";

    [Theory]
    [InlineData("grpc")]
    [InlineData("http")]
    public async Task Collector_GetsMetricsAndOneTraceFromTheCallToTheStore(string protocol)
    {
        await using var receiver = await OtlpReceiver.StartAsync(protocol);
        using var files = new Marker();
        var headers = files.Path("headers");
        await File.WriteAllTextAsync(headers, "# of the collector\nauthorization: Bearer s3cret, with = and blanks\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(headers, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var engine = SlowEngine.Create();
        engine.Go();
        await using var gateway = await StartAsync(engine, $"telemetry.otlp.endpoint=http://localhost:{receiver.Port}", $"telemetry.otlp.protocol={protocol}",
            $"telemetry.otlp.headers_file={headers}", "telemetry.otlp.metrics_interval_seconds=1", "telemetry.trace_calls_ratio=0.000001");
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), [("traceparent", Traceparent)]);

        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        Assert.Equal(Traceparent, Assert.Single(engine.Calls).Headers["traceparent"]);
        await Deadlines.UntilAsync("the spans", () => Names(receiver).IsSupersetOf(["ExecutePlan", "RelayStream", "driver start", "store open", "store mark_ready"]), Deadlines.Transfer);
        await Deadlines.UntilAsync("the metrics", () => receiver.Metrics.Contains("spark_connect_proxy_requests") && receiver.Metrics.Contains("spark_connect_sessions_active"), Deadlines.Transfer);
        var outer = Assert.Single(receiver.Spans, span => span.Name == "ExecutePlan");
        Assert.Equal((Trace, ClientSpan), (outer.Trace, outer.Parent));
        Assert.Equal((Trace, outer.Id), Of(receiver, "RelayStream"));
        Assert.Equal(Trace, Of(receiver, "driver start").Trace);
        Assert.Equal(["Bearer s3cret, with = and blanks"], receiver.Credentials);
        Assert.DoesNotContain("s3cret", gateway.Process.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collector_Down_CostsOneLogLineAndNoCall()
    {
        using var silent = SilentListener.Start();
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(
            new GatewaySetup { Settings = [$"telemetry.otlp.endpoint=http://{silent.Address}", "telemetry.otlp.protocol=http", "telemetry.otlp.timeout_seconds=1", "telemetry.otlp.metrics_interval_seconds=1", "telemetry.otlp.queue_spans=1", "telemetry.trace_calls_ratio=1"] },
            driver.Address);

        await gateway.Process.Process.LineAsync("the word that the collector is down", line => line.Contains(TakesNone, StringComparison.Ordinal), Deadlines.Transfer);
        for (var n = 0; n < 20; n++) await gateway.ServesAsync();
        var exports = await gateway.Process.MetricAsync("spark_connect_proxy_requests_total", "code=\"0\"");

        Assert.True(exports >= 20, $"{exports} calls");
        Assert.Single(gateway.Process.Process.Lines, line => line.Contains(TakesNone, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Collector_BackAgain_IsOneMoreLine()
    {
        var port = Ports.Free();
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(
            new GatewaySetup { Settings = [$"telemetry.otlp.endpoint=http://localhost:{port}", "telemetry.otlp.protocol=http", "telemetry.otlp.timeout_seconds=5", "telemetry.otlp.metrics_interval_seconds=1"] }, driver.Address);
        await gateway.Process.Process.LineAsync("the word that the collector is down", line => line.Contains(TakesNone, StringComparison.Ordinal), Deadlines.Transfer);

        await using var receiver = await OtlpReceiver.StartAsync("http", port);

        await gateway.Process.Process.LineAsync("the word that it is back", line => line.Contains("takes telemetry again", StringComparison.Ordinal), Deadlines.Transfer);
    }

    private static Task<RawGateway> StartAsync(SlowEngine engine, params string[] settings) =>
        RawGateway.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, .. settings] });

    private static HashSet<string> Names(OtlpReceiver receiver) => [.. receiver.Spans.Select(span => span.Name)];

    private static (string Trace, string Parent) Of(OtlpReceiver receiver, string name)
    {
        var span = receiver.Spans.First(span => span.Name == name && span.Trace == Trace);
        return (span.Trace, span.Parent);
    }
}
