using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>One Python process has one connection for all its sessions: a driver that takes nothing must not starve the others on it.</summary>
public sealed class StoppedDriverTests(SharedDrivers drivers)
{
    [Fact]
    public async Task StoppedDriver_WithSixUploads_DoesNotStarveAnotherOnTheSameConnection()
    {
        using var marker = new Marker();
        await using var stopped = await DirectDriver.StartSparkAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            Attached = [new Attached("stopped", "e2e", stopped.Address), new Attached("healthy", "e2e", (await drivers.SparkAsync()).Address)],
        });
        await using var client = PythonClient.Start(
            $"READY, GO, RESUMED = '{marker.Path("ready")}', '{marker.Path("go")}', '{marker.Path("resumed")}'\n" +
            """
            import os, threading, time
            import pandas as pd
            from pyspark.sql import SparkSession

            def wait_for(path):
                while not os.path.exists(path):
                    time.sleep(0.05)

            a = SparkSession.builder.remote(URL + ";x-spark-session-id=stopped").create()
            b = SparkSession.builder.remote(URL + ";x-spark-session-id=healthy").create()
            text = os.urandom(512).hex()
            frame = pd.DataFrame({"id": range(5_000), "text": ["%06d%s" % (i, text) for i in range(5_000)]})
            a.range(1).count(), b.range(1).count()
            sums = []
            def upload(number):
                part = frame.assign(number=number)
                sums.append(a.createDataFrame(part).selectExpr("sum(id + number) s").collect()[0].s)
            open(READY, "w").close()
            wait_for(GO)
            threads = [threading.Thread(target=upload, args=(i,)) for i in range(6)]
            for thread in threads:
                thread.start()
            time.sleep(2)
            for _ in range(3):
                begin = time.monotonic()
                assert b.range(100).count() == 100
                assert time.monotonic() - begin < 10, time.monotonic() - begin
            print("healthy", flush=True)
            wait_for(RESUMED)
            for thread in threads:
                thread.join()
            print("sums", sorted(sums) == [12_497_500 + 5_000 * i for i in range(6)])
            a.stop()
            b.stop()
            """,
            gateway.Url("ada"));
        await marker.SeenAsync("ready", client);

        stopped.Process.Signal("STOP");
        marker.Set("go");
        await client.LineAsync("the healthy driver's answers", line => line == "healthy", PythonClient.Limit);
        stopped.Process.Signal("CONT");
        marker.Set("resumed");

        Assert.Contains("sums True", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
    }
}
