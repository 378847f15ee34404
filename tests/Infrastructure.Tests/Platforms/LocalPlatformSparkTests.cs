using System.Diagnostics;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>Drivers that are a real Spark.</summary>
public class LocalPlatformSparkTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Launch_Spark_IsReadyDemandsItsTokenAndShowsItNowhere()
    {
        await using var harness = LocalHarness.Spark();
        var spec = LocalHarness.Spec();
        var clock = Stopwatch.StartNew();

        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);

        Assert.True(started.IsOk, started.Error?.Text);
        output.WriteLine($"ready after {clock.Elapsed.TotalSeconds:F1} s at {started.Value.Address}, runtime {started.Value.RuntimeId}");
        var token = harness.Tokens.ForOnDemand(spec.SessionId)!;
        Assert.Equal("16", await RawCall.ReleaseSessionAsync(started.Value.Address, null));
        Assert.Equal("16", await RawCall.ReleaseSessionAsync(started.Value.Address, harness.Tokens.ForOnDemand(Guid.NewGuid())));
        Assert.Equal("0", await RawCall.ReleaseSessionAsync(started.Value.Address, token));
        Assert.Empty(ProcessTable.Where(row => row.CommandLine.Contains(token, StringComparison.Ordinal)));
        Assert.DoesNotContain(token, await File.ReadAllTextAsync(harness.LogFile(spec)), StringComparison.Ordinal);
        Assert.DoesNotContain(token, harness.Log.Text, StringComparison.Ordinal);
        var pid = int.Parse(started.Value.RuntimeId.Split('-')[0]);
        Assert.Equal(started.Value.RuntimeId, ProcFs.Identity(pid));
        Assert.Contains("java", ProcessTable.Rows().Single(row => row.Pid == pid).CommandLine, StringComparison.Ordinal);
        foreach (var phase in (string[])["queued", "starting", "port open", "ready"]) Assert.Contains($"{spec.Name}: {phase} after", harness.Log.Text, StringComparison.Ordinal);
        Assert.Single(harness.Log.Text.Split('\n'), line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("4.2.0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stop_SparkWithBusyPythonWorkers_LeavesNothing()
    {
        const string odd = "a=b:c\\d #e !\u00e4\u20ac";
        await using var harness = LocalHarness.Spark(options => options.SparkConnect.OnDemand.SparkConf["spark.gateway.test"] = odd);
        var spec = LocalHarness.Spec();
        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);
        Assert.True(started.IsOk, started.Error?.Text);
        using var client = await BusyClient.StartAsync(started.Value.Address, harness.Tokens.ForOnDemand(spec.SessionId)!);
        Assert.Equal(odd, client.Setting);
        Assert.Contains(harness.Processes(), line => line.Contains("pyspark.daemon", StringComparison.Ordinal));

        var clock = Stopwatch.StartNew();
        await harness.Platform.StopAsync(new DriverRef(spec.SessionId, spec.Name), CancellationToken.None);

        output.WriteLine($"stopped after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.Empty(harness.Processes());
        Assert.False(Directory.Exists(Path.Combine(harness.State, "drivers", spec.Name.Name)));
        Assert.True(File.Exists(harness.LogFile(spec)));
        Assert.False(harness.Platform.Exits.TryRead(out _));
    }

    [Fact]
    public async Task Launch_BadSparkConf_IsStartFailedWithLogLines()
    {
        await using var harness = LocalHarness.Spark(options => options.SparkConnect.OnDemand.SparkConf["spark.driver.memory"] = "64m");

        var started = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.Equal(ErrorCode.StartFailed, started.Error?.Code);
        output.WriteLine(started.Error!.Text);
        Assert.Contains("System memory", started.Error.Text, StringComparison.Ordinal);
        Assert.Contains("exit code", started.Error.Text, StringComparison.Ordinal);
        Assert.Empty(harness.Processes());
    }

    [Fact]
    public async Task KillOfTheGateway_SparkWithBusyPythonWorkers_LeavesNothing()
    {
        var state = Directory.CreateTempSubdirectory("spark-gateway-local-").FullName;
        using var host = DriverHost.Start(state);
        var (address, token) = await DriverHost.ReadAsync(host);
        using var client = await BusyClient.StartAsync(address, token);
        Assert.Contains(ProcessTable.OfState(state), line => line.Contains("pyspark.daemon", StringComparison.Ordinal));

        host.Kill();

        var clock = Stopwatch.StartNew();
        await ProcessTable.GoneAsync(state);
        output.WriteLine($"gone after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(state, "drivers")));
        Directory.Delete(state, recursive: true);
    }
}
