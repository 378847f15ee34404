using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Clients other than PySpark 4.2 that come back to a session which has ended: what they read, and how often they ask.</summary>
public sealed class TombstoneTests
{
    private const int Internal = 13;

    /// <summary>What a stock client may ask in all: one that tries again without end asks hundreds of times a second.</summary>
    private const int FewCalls = 100;

    [Fact]
    public async Task Jvm_ThatComesBackToAnIdleSession_ReadsWhyAndGoesOnWithGetOrCreate()
    {
        using var marker = new Marker();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true, Settings = ExpirySettings });
        await using var client = JavaClient.Start(
            $"java.nio.file.Path ready = java.nio.file.Path.of(\"{marker.Path("ready")}\"), go = java.nio.file.Path.of(\"{marker.Path("go")}\");\n" +
            """
            SparkSession spark = SparkSession.builder().remote(url).getOrCreate();
            System.out.println("first " + spark.range(3).count());
            java.nio.file.Files.createFile(ready);
            while (!java.nio.file.Files.exists(go)) Thread.sleep(50);
            try {
                System.out.println("not told " + spark.range(3).count());
            } catch (Exception error) {
                System.out.println("told " + String.join(" ", String.valueOf(error.getMessage()).split("\\s+")));
            }
            spark = SparkSession.builder().remote(url).getOrCreate();
            System.out.println("again " + spark.range(7).count());
            spark.close();
            """,
            gateway.Url("ada"));
        await marker.SeenAsync("ready", client);
        await Deadlines.UntilAsync("the end of the idle session", async () => await gateway.MetricAsync("spark_connect_sessions_expired_total", "reason=\"idle\"") >= 1, PythonClient.Limit);
        Assert.Empty(gateway.Drivers());

        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout (12 seconds, last used at", output, StringComparison.Ordinal);
        Assert.Contains("again 7", output, StringComparison.Ordinal);
        Assert.InRange(await gateway.MetricAsync("spark_connect_proxy_requests_total"), 1, FewCalls);
    }

    /// <summary>PySpark 3.5 keeps the ended session for ever: getOrCreate() says its configuration twice, under the same id.</summary>
    [Fact]
    public async Task PySpark35_ThatComesBackToAnEndedSession_IsToldEachTimeAndNeverGetsAnotherDriver()
    {
        await using var engine = SlowEngine.Create();
        engine.Go();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"))).StatusAsync(Deadlines.Transfer));
        var row = (await gateway.Process.SessionsAsync("list", "--output", "json")).Split("\"session_row_id\": \"")[1][..36];
        await gateway.Process.SessionsAsync("close", row, "--as", "jane", "--note", "maintenance tonight");
        await Deadlines.UntilAsync("the end of its driver", () => gateway.Process.Descendants().Count == 0);
        var served = engine.Calls.Count;

        for (var round = 0; round < 2; round++)
        {
            for (var times = 0; times < 2; times++)
            {
                var set = await client.CallAsync(SparkRpc.Config, ScriptedClientTests.ConfigSet35(session, "spark.remote", "sc://localhost"));
                await ToldAsync(set);
            }

            await ToldAsync(await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada")));
            Assert.Equal(0, await (await client.CallAsync(SparkRpc.ReleaseExecute, SparkRpc.Request(session, "ada"))).StatusAsync());
        }

        Assert.Equal(served, engine.Calls.Count);
        Assert.Empty(gateway.Process.Descendants());
        Assert.Equal(1, await gateway.Process.MetricAsync("spark_connect_sessions_created_total"));
    }

    /// <summary>An idle timeout of twelve seconds, looked for each second.</summary>
    private static string[] ExpirySettings =>
    [
        "spark_connect.idle_timeout_minutes=0.2", "spark_connect.expiry_interval_seconds=1", "spark_connect.expiry_hold_seconds=0",
        "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1",
    ];

    private static async Task ToldAsync(H2Stream call)
    {
        Assert.Equal(Internal, await call.StatusAsync());
        var text = Uri.UnescapeDataString(call.Headers["grpc-message"]!);
        Assert.StartsWith("[INVALID_HANDLE.SESSION_CHANGED]", text, StringComparison.Ordinal);
        Assert.Contains("an operator closed it (admin as jane (unverified): maintenance tonight)", text, StringComparison.Ordinal);
    }
}
