using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>The first command of the README.</summary>
public sealed class RunScriptTests
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task RunScript_WithASpark_ServesAClientThatKnowsOnlyTheAddress()
    {
        var state = Directory.CreateTempSubdirectory("spark-gateway-run-").FullName;
        var (port, admin) = (Ports.Free(), Ports.Free());
        await using var script = OwnedProcess.Start(
            "run.sh",
            Path.Combine(Sources.Root, "run.sh"),
            ["--set", $"spark_connect.port={port}", "--set", $"admin.port={admin}"],
            [("SPARK_HOME", SparkFixture.SparkHome), ("PYSPARK_PYTHON", SparkFixture.Python), ("SPARK_GATEWAY_STATE_DIR", state)],
            state,
            ownsFolder: true);

        var line = await script.LineAsync("the line to paste", line => line.StartsWith("SparkSession.builder", StringComparison.Ordinal), BuildLimit);

        Assert.Equal($"SparkSession.builder.remote(\"sc://localhost:{port}\").getOrCreate()", line);
        var output = await PythonClient.RunAsync($"from pyspark.sql import SparkSession\nspark = {line}\nprint('rows', spark.range(9).count())\nspark.stop()", "");
        Assert.Contains("rows 9", output, StringComparison.Ordinal);
        script.Signal("TERM");
        Assert.Equal(0, await script.ExitAsync());
    }
}
