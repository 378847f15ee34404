using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

public enum StockClient
{
    Python,
    Jvm,
}

/// <summary>
/// A stock client that runs the same query at each step, and its whole way to a driver: a cutter before the gateway, the
/// gateway, a cutter behind it. The query's plan is longer than any other request, so that its stream is known by that.
/// </summary>
internal sealed class FaultBench : IAsyncDisposable
{
    public const string Rows = "rows 20000 199990000";

    private const string Name = "shared";
    private const int PlanBytes = 1_000;

    private readonly Marker marker = new();
    private TcpCutter? front;
    private int step;
    private int unavailable;
    private volatile int stream;

    private FaultBench(TcpCutter back)
    {
        Back = back;
    }

    /// <summary>Between the client and the gateway.</summary>
    public TcpCutter Front => front!;

    public GatewayProcess Gateway { get; private set; } = null!;

    /// <summary>Between the gateway and the driver; a test may stop it and put another in its place.</summary>
    public TcpCutter Back
    {
        get;
        private set
        {
            field = value;
            field.Seen = Look;
        }
    }

    public OwnedProcess Client { get; private set; } = null!;

    public static async Task<FaultBench> StartAsync(StockClient kind, DirectDriver driver, bool isPatient = true)
    {
        var bench = new FaultBench(TcpCutter.Start(driver.Port));
        try
        {
            bench.Gateway = await GatewayProcess.StartAsync(new GatewaySetup
            {
                Attached = [new Attached(Name, "e2e", bench.Back.Address)],
                Settings = ["relay.driver_connect_seconds=1"],
            });
            bench.front = TcpCutter.Start(bench.Gateway.Port);
            var url = GatewayProcess.UrlOf(bench.front.Port, "ada", $"x-spark-session-id={Name}");
            bench.Client = kind == StockClient.Python ? bench.StartPython(url, isPatient) : bench.StartJvm(url, isPatient);
            await bench.Client.LineAsync("its first answer", line => line == "ready", PythonClient.Limit);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the client run its query once more under that plan, and gives what it then shows its user.</summary>
    public async Task<string> QueryAsync(Func<CutPlan>? plan = null)
    {
        var planned = Begin(plan);
        var shown = await ResultAsync();
        if (planned is not null) await planned.DoneAsync();
        return shown;
    }

    /// <summary>Has the client run its query once more under that plan.</summary>
    public CutPlan? Begin(Func<CutPlan>? plan = null)
    {
        // What the driver still sends of the query before must not be taken for this one's.
        stream = 0;
        var planned = plan?.Invoke();
        marker.Set($"step-{++step}");
        return planned;
    }

    /// <summary>Has the client run its query once more, and does that when the first rows are about to reach the gateway.</summary>
    public async Task InMidQueryAsync(Action fault)
    {
        // Not the plan's own end: nothing may pass any more behind the fault.
        var isDone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Begin(() => Back.InsertBehind(Way.Down, IsRows, _ =>
        {
            fault();
            isDone.SetResult();
            return Frame.Ping(1);
        }));
        await isDone.Task.Within("the first rows", PythonClient.Limit);
    }

    public async Task<string> ResultAsync(TimeSpan? limit = null)
    {
        var begin = $"step {step} ";
        var line = await Client.LineAsync($"the result of step {step}", line => line.StartsWith(begin, StringComparison.Ordinal), limit ?? PythonClient.Limit);
        return line[begin.Length..];
    }

    /// <summary>Waits until so many more ExecutePlan calls have ended UNAVAILABLE.</summary>
    public Task UnavailableAsync(int more)
    {
        unavailable += more;
        return Deadlines.UntilAsync($"{unavailable} ExecutePlan calls that ended UNAVAILABLE", async () =>
        {
            var ended = await Gateway.MetricAsync("spark_connect_proxy_requests_total", "rpc=\"ExecutePlan\"", "code=\"14\"");
            return ended <= unavailable ? ended == unavailable : throw new InvalidOperationException($"{ended} ended UNAVAILABLE, not {unavailable}.");
        });
    }

    public Task OpenCallsAsync(bool any) => Deadlines.UntilAsync(
        any ? "an open call" : "the end of all calls", async () => await Gateway.MetricAsync("spark_connect_open_calls") > 0 == any);

    /// <summary>Nothing passes any more, on all four ways.</summary>
    public void Stop()
    {
        foreach (var cutter in new[] { Front, Back })
        {
            cutter.Stop(Way.Up);
            cutter.Stop(Way.Down);
        }
    }

    public void Continue()
    {
        foreach (var cutter in new[] { Front, Back })
        {
            cutter.Continue(Way.Up);
            cutter.Continue(Way.Down);
        }
    }

    /// <summary>The connection to the driver, in place of one that was closed.</summary>
    public void Reopen(DirectDriver driver) => Back = TcpCutter.Start(driver.Port, Back.Port);

    public bool IsAnswer(FrameHeader frame, FrameType type) => frame.Type == type && frame.StreamId == stream;

    /// <summary>A piece of the query's rows.</summary>
    public bool IsRows(FrameHeader frame) => IsAnswer(frame, FrameType.Data) && frame.Length > 10_000;

    public async ValueTask DisposeAsync()
    {
        if (Client is not null) await Client.DisposeAsync();
        if (front is not null) await front.DisposeAsync();
        if (Gateway is not null) await Gateway.DisposeAsync();
        await Back.DisposeAsync();
        marker.Dispose();
    }

    private void Look(Way way, FrameHeader frame)
    {
        if (way == Way.Up && frame is { Type: FrameType.Data, Length: > PlanBytes }) stream = frame.StreamId;
    }

    private OwnedProcess StartPython(string url, bool isPatient) => PythonClient.Start(
        $"STEP, PATIENT = '{marker.Path("step-")}', {(isPatient ? "True" : "False")}\n" +
        """
        import os, time
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.client.retries import DefaultPolicy

        spark = SparkSession.builder.remote(URL).getOrCreate()
        if not PATIENT:
            spark.client.set_retry_policies([DefaultPolicy(max_retries=2)])

        def query():
            rows = spark.range(0, 20_000, 1, 4).selectExpr("id", "repeat('p', 50) p").where("id >= 0 or p = '%s'" % ("x" * 3_000)).collect()
            return "rows %d %d" % (len(rows), sum(row.id for row in rows))

        query()
        print("ready", flush=True)
        step = 0
        while True:
            step += 1
            while not os.path.exists(STEP + str(step)):
                time.sleep(0.02)
            try:
                print("step", step, query(), flush=True)
            except Exception as error:
                print("step", step, type(error).__name__, " ".join(str(error).split()), flush=True)
        """,
        url);

    private OwnedProcess StartJvm(string url, bool isPatient) => JavaClient.Start(
        $$"""
        var usual = org.apache.spark.sql.connect.client.RetryPolicy.defaultPolicy();
        var policy = {{(isPatient ? "usual" : "usual.copy(scala.Option.apply((Object) 2), usual.initialBackoff(), usual.maxBackoff(), usual.backoffMultiplier(), usual.jitter(), usual.minJitterThreshold(), usual.canRetry(), usual.name(), usual.recognizeServerRetryDelay(), usual.maxServerRetryDelay())")}};
        var client = org.apache.spark.sql.connect.client.SparkConnectClient.builder().connectionString(url).retryPolicy(policy).build();
        var spark = org.apache.spark.sql.connect.SparkSession.builder().client(client).getOrCreate();
        for (int step = 0; ; step++) {
            while (step > 0 && !java.nio.file.Files.exists(java.nio.file.Path.of("{{marker.Path("step-")}}" + step))) Thread.sleep(20);
            String result;
            try {
                long sum = 0;
                List<Row> rows = spark.range(0, 20_000, 1, 4).selectExpr("id", "repeat('p', 50) p").where("id >= 0 or p = '" + "x".repeat(3_000) + "'").collectAsList();
                for (Row row : rows) sum += row.getLong(0);
                result = "rows " + rows.size() + " " + sum;
            } catch (Exception error) {
                result = error.getClass().getSimpleName() + " " + String.join(" ", String.valueOf(error.getMessage()).split("\\s+"));
            }
            System.out.println(step == 0 ? "ready" : "step " + step + " " + result);
            System.out.flush();
            if (step > 1_000) break;
        }
        """,
        url);
}
