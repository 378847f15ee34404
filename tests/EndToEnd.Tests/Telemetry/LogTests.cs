using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>The log as a collector of logs reads it: what happened to which session, of which team and user.</summary>
public sealed class LogTests
{
    private const string User = "ada";
    private const int Opened = 2200;
    private const int Ready = 2201;
    private const int Ended = 2110;

    private static readonly string[] Idle = ["spark_connect.idle_timeout_minutes=0.05", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=0", "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1"];

    [Fact]
    public async Task JsonLog_OfSessionsThatExpireAndCrashAndOfARefusal_HasItsFieldsInEachLine()
    {
        await using var engine = SlowEngine.Create();
        engine.Go();
        await using var gateway = await StartAsync(engine, Idle);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        await CallAsync(client, session);
        await SeenAsync(gateway, "ended: Idle");
        await CallAsync(client, RawGateway.NewSession());
        foreach (var pid in gateway.Process.Descendants().Where(pid => Processes.Name(pid).StartsWith("python", StringComparison.Ordinal))) Processes.Kill(pid);
        await SeenAsync(gateway, "ended: Crashed");
        await (await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), User), [("x-spark-namespace", "sjns-nowhere")])).StatusAsync();
        await SeenAsync(gateway, "Refused 1 calls");
        await gateway.Process.TerminateAsync();

        var lines = Entries(gateway);

        foreach (var (number, count) in ((int, int)[])[(Opened, 2), (Ready, 2), (Ended, 2)])
        {
            var events = lines.Where(line => line.GetProperty("event").GetInt32() == number).ToList();
            Assert.Equal(count, events.Count);
            Assert.All(events, line =>
            {
                Assert.StartsWith("sjns-local-dev/spark-connect-local-", Text(line, "session"), StringComparison.Ordinal);
                Assert.Equal(("local", "dev", User), (Text(line, "team"), Text(line, "environment"), Text(line, "user")));
            });
        }

        Assert.Equal(["idle", "crashed"], lines.Where(line => line.GetProperty("event").GetInt32() == Ended).Select(line => Text(line, "reason")));
        Assert.Matches("^[0-9a-f]{32}$", Text(lines.First(line => line.GetProperty("event").GetInt32() == Ready), "trace_id"));
        var refused = Assert.Single(lines, line => Text(line, "message").Contains("Refused", StringComparison.Ordinal));
        Assert.Equal((User, "invalid_argument"), (Text(refused, "user"), Text(refused, "code")));
        Assert.Equal(8, Text(refused, "client_session").Length);
        Assert.DoesNotContain(session, gateway.Process.Process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(lines, line => line.TryGetProperty("rpc", out _));
    }

    [Fact]
    public async Task JsonLog_WithCalls_HasOneLineForEach()
    {
        await using var engine = SlowEngine.Create();
        engine.Go();
        await using var gateway = await StartAsync(engine, ["log.calls=true"]);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        for (var n = 0; n < 3; n++) await CallAsync(client, session);
        await (await client.CallAsync("/other.Service/Method", SparkRpc.Request(session, User))).StatusAsync();
        await Deadlines.UntilAsync("the lines of all calls", () => gateway.Process.Process.Lines.Count(line => line.Contains("ended with status", StringComparison.Ordinal)) == 4);
        await gateway.Process.TerminateAsync();

        var calls = Entries(gateway).Where(line => line.TryGetProperty("rpc", out _)).ToList();

        Assert.Equal(["execute_plan", "execute_plan", "execute_plan", "other"], calls.Select(line => Text(line, "rpc")));
        Assert.Equal([0, 0, 0, 12], calls.Select(line => line.GetProperty("status").GetInt32()));
        Assert.All(calls[..3], line => Assert.Equal(("driver", User, session[..8], "local"), (Text(line, "ended_by"), Text(line, "user"), Text(line, "client_session"), Text(line, "team"))));
        Assert.DoesNotContain(session, gateway.Process.Process.Output, StringComparison.Ordinal);
    }

    private static Task<RawGateway> StartAsync(SlowEngine engine, string[] settings) =>
        RawGateway.StartAsync(engine.Setup with { Settings = [.. engine.Setup.Settings, "log.format=json", .. settings] });

    private static async Task CallAsync(RawH2Client client, string session)
    {
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, User));
        Assert.Equal(0, await call.StatusAsync(Deadlines.Transfer));
    }

    private static Task<string> SeenAsync(RawGateway gateway, string text) =>
        gateway.Process.Process.LineAsync(text, line => line.Contains(text, StringComparison.Ordinal), Deadlines.Transfer);

    /// <summary>Every line of the run is an object with the fields that all have, but for the two that standard output holds.</summary>
    private static List<JsonElement> Entries(RawGateway gateway)
    {
        var lines = gateway.Process.Process.Lines.Where(line => !line.StartsWith("Spark Gateway ", StringComparison.Ordinal) && !line.StartsWith("SparkSession.", StringComparison.Ordinal));
        var entries = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(entries, entry => Assert.Matches("^[0-9-]{10}T[0-9:.]{12}Z$", Text(entry, "time")));
        Assert.All(entries, entry => Assert.Contains(Text(entry, "level"), (string[])["info", "warning", "error"]));
        Assert.All(entries, entry => Assert.NotEmpty(Text(entry, "logger")));
        return entries;
    }

    private static string Text(JsonElement entry, string field) => entry.TryGetProperty(field, out var value) ? value.ToString() : "";
}
