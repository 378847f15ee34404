using System.Diagnostics;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>A stock client whose query keeps Python workers of the driver busy until it is ended.</summary>
internal sealed class BusyClient : IDisposable
{
    // The first worker that runs makes a file; the client sees it and says so.
    private const string Program = """
        import os, sys, tempfile, threading, time
        from pyspark.sql import SparkSession
        from pyspark.sql.functions import udf
        mark = os.path.join(tempfile.mkdtemp(), "mark")
        spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
        def slow(value):
            open(mark, "w").close()
            time.sleep(600)
            return value
        query = spark.range(4).select(udf(slow, "long")("id"))
        def run():
            try:
                query.collect()
            except Exception:
                pass
        threading.Thread(target=run, daemon=True).start()
        while not os.path.exists(mark):
            time.sleep(0.05)
        print("busy", spark.conf.get("spark.gateway.test", ""), flush=True)
        sys.stdin.read()
        os._exit(0)
        """;

    private readonly Process process;
    private readonly string folder;

    private BusyClient(Process process, string folder) => (this.process, this.folder) = (process, folder);

    /// <summary>What the driver says spark.gateway.test is.</summary>
    public string Setting { get; private set; } = "";

    public static async Task<BusyClient> StartAsync(string address, string token)
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-client-").FullName;
        var script = Path.Combine(folder, "busy.py");
        await File.WriteAllTextAsync(script, Program);
        var port = address.Split(':')[1];
        var start = new ProcessStartInfo(SparkFixture.Python, [script, $"sc://localhost:{port}/;token={token};user_id=ann"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = folder;
        var client = new BusyClient(Process.Start(start)!, folder);
        var line = await client.process.StandardOutput.ReadLineAsync().WaitAsync(LocalHarness.Patience);
        Assert.StartsWith("busy ", line, StringComparison.Ordinal);
        client.Setting = line!["busy ".Length..];
        return client;
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
