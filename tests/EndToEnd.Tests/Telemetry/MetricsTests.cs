using System.Globalization;
using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>/metrics of a gateway, as Prometheus and its own tool see it.</summary>
public sealed class MetricsTests
{
    private const string Tool = "/usr/bin/promtool";
    private const string Prometheus = "/usr/bin/prometheus";

    /// <summary>Enough for some of them to be timed.</summary>
    private const int Calls = 300;

    /// <summary>What the design asks for, with the words of its last part.</summary>
    private static readonly (string Name, string Type)[] Seven =
    [
        ("spark_connect_sessions_active", "gauge"),
        ("spark_connect_sessions_created_total", "counter"),
        ("spark_connect_sessions_expired_total", "counter"),
        ("spark_connect_proxy_requests_total", "counter"),
        ("spark_connect_proxy_errors_total", "counter"),
        ("spark_connect_session_duration_seconds", "histogram"),
        ("spark_connect_message_latency_seconds", "histogram"),
    ];

    [Fact]
    public async Task Metrics_BeforeTheFirstCall_HoldTheSevenOfTheDesign()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);

        var page = await gateway.Process.GetAsync("/metrics");

        var found = MetricsPage.Read(page).Select(metric => (metric.Name, metric.Type)).ToHashSet();
        Assert.Empty(Seven.Except(found));
        await CheckAsync(page);
        foreach (var (name, type) in Seven) Assert.Equal(0, await gateway.Process.MetricAsync(type == "histogram" ? $"{name}_count" : name));
    }

    [Fact]
    public async Task Metrics_WithTraffic_PassPromtoolAndAreThoseOfTheirPage()
    {
        await using var scene = await BusyGateway.StartAsync(Calls);

        var page = await scene.Gateway.Process.GetAsync("/metrics");

        await CheckAsync(page);
        var documented = MetricsPage.ReadDocument(await File.ReadAllTextAsync(Path.Combine(Sources.Root, "docs", "metrics.md")));
        Assert.Equal(documented, MetricsPage.Read(page));
        Assert.Equal(1, await scene.ValueAsync("spark_connect_sessions_active", "team=\"local\"", "environment=\"dev\""));
        Assert.Equal(1, await scene.ValueAsync("spark_connect_sessions_created_total", "team=\"local\""));
        Assert.Equal(Calls, await scene.ValueAsync("spark_connect_proxy_requests_total", "rpc=\"ExecutePlan\"", "code=\"0\""));
        Assert.Equal(1, await scene.ValueAsync("spark_connect_driver_start_seconds_count", "platform=\"local\"", "outcome=\"ready\""));
        Assert.Equal(0, await scene.ValueAsync("spark_connect_drivers_starting"));
        Assert.Equal(1, await scene.ValueAsync("spark_connect_client_connections"));
        Assert.True(await scene.ValueAsync("spark_connect_relay_bytes_total", "direction=\"up\"") > Calls * 36);
        Assert.True(await scene.ValueAsync("spark_connect_relay_bytes_total", "direction=\"down\"") > Calls * 36);
        Assert.True(await scene.ValueAsync("spark_gateway_store_operation_seconds_count", "operation=\"mark_ready\"") == 1);
        var timed = await scene.ValueAsync("spark_connect_message_latency_seconds_count");
        Assert.InRange(timed, 1, Calls);
        Assert.InRange(await scene.ValueAsync("spark_connect_message_latency_seconds_sum") / timed, 1e-7, 30);
    }

    [Fact]
    public async Task Metrics_OpenMetrics_EndOnceBehindAllHistograms()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");

        var page = await http.GetStringAsync(new Uri($"http://127.0.0.1:{gateway.Process.AdminPort}/metrics"));

        Assert.EndsWith("\n# EOF\n", page, StringComparison.Ordinal);
        Assert.Equal(page.IndexOf("# EOF", StringComparison.Ordinal), page.LastIndexOf("# EOF", StringComparison.Ordinal));
        Assert.Contains("spark_connect_message_latency_seconds_count", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ParkedCalls_AreCountedUntilTheirDriverIsThere()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        await using var client = await gateway.ConnectAsync();
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"));

        await Deadlines.UntilAsync("the parked call", async () => await gateway.Process.MetricAsync("spark_connect_parked_calls") == 1);
        await Deadlines.UntilAsync("its bytes", async () => await gateway.Process.MetricAsync("spark_connect_parked_bytes") > 0);
        await Deadlines.UntilAsync("the start", async () => await gateway.Process.MetricAsync("spark_connect_drivers_starting") == 1);
        engine.Go();

        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
        await Deadlines.UntilAsync("no parked call", async () => await gateway.Process.MetricAsync("spark_connect_parked_calls") == 0);
        await Deadlines.UntilAsync("none of its bytes", async () => await gateway.Process.MetricAsync("spark_connect_parked_bytes") == 0);
    }

    [Fact]
    public async Task Prometheus_ScrapesTheGateway_AndTheSevenCanBeQueried()
    {
        Assert.SkipUnless(File.Exists(Prometheus), "prometheus is not installed");
        await using var scene = await BusyGateway.StartAsync(Calls);
        var folder = Directory.CreateTempSubdirectory("spark-gateway-prometheus-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), string.Create(CultureInfo.InvariantCulture, $$"""
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: ["{{Sources.Root}}/deploy/prometheus/alerts.yml"]
            scrape_configs:
              - job_name: spark-gateway
                static_configs: [{targets: ["127.0.0.1:{{scene.Gateway.Process.AdminPort}}"]}]
            """));
        var port = Ports.Free();
        await using var prometheus = OwnedProcess.Start("prometheus", Prometheus,
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}"], [], folder, ownsFolder: true);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        await Deadlines.UntilAsync("the first scrape", async () => await QueryAsync(http, "up{job=\"spark-gateway\"}") == 1, Deadlines.Transfer);

        foreach (var (name, type) in Seven)
            await Deadlines.UntilAsync(name, async () => await QueryAsync(http, $"sum({(type == "histogram" ? $"{name}_count" : name)})") is not null, Deadlines.Transfer);
        Assert.Equal(Calls, await QueryAsync(http, "sum(spark_connect_proxy_requests_total{rpc=\"ExecutePlan\",code=\"0\"})"));
        Assert.Equal(1, await QueryAsync(http, "spark_connect_sessions_active{team=\"local\",environment=\"dev\"}"));
    }

    [Fact]
    public async Task AlertRules_PassTheirChecks()
    {
        Assert.SkipUnless(File.Exists(Tool), "promtool is not installed");
        var rules = Path.Combine(Sources.Root, "deploy", "prometheus");

        await RunAsync(rules, "check", "rules", "alerts.yml");
        await RunAsync(rules, "test", "rules", "alerts-test.yml");
    }

    private static async Task CheckAsync(string page)
    {
        if (!File.Exists(Tool)) return;
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, page);
        await using var tool = OwnedProcess.Start("promtool", "/bin/sh", ["-c", $"exec {Tool} check metrics < {file}"], []);
        var exit = await tool.ExitAsync(Deadlines.Transfer);
        File.Delete(file);
        Assert.True(exit == 0 && tool.Output.Length == 0, tool.Output);
    }

    private static async Task RunAsync(string folder, params string[] arguments)
    {
        await using var tool = OwnedProcess.Start("promtool", Tool, arguments, [], folder);
        Assert.True(await tool.ExitAsync(Deadlines.Transfer) == 0, tool.Output);
    }

    private static async Task<double?> QueryAsync(HttpClient http, string query)
    {
        try
        {
            using var answer = JsonDocument.Parse(await http.GetStringAsync(new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative)));
            var result = answer.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return null;
        }
    }
}
