using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Examples;

/// <summary>The programs of examples/ as a reader runs them, against a gateway with config/local.yml.</summary>
public sealed class ExamplesTests(SharedDrivers drivers)
{
    private static readonly string Folder = Path.Combine(Sources.Root, "examples");

    [Fact]
    public async Task Quickstart_InPython_Runs()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        await using var program = PythonClient.StartFile(Path.Combine(Folder, "pyspark", "quickstart.py"), gateway.Url("ada"));

        var output = await PythonClient.GoodEndAsync(program);

        Assert.Contains("499500", output, StringComparison.Ordinal);
        Assert.Contains("|ADA!|", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Byod_InPython_FindsTheAttachedDriverBothWays()
    {
        var driver = await drivers.SparkAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { Attached = [new("my-spark-app", "sjns-data-control", driver.Address)] });
        await using var program = PythonClient.StartFile(Path.Combine(Folder, "pyspark", "byod.py"), gateway.Url("ada"));

        var output = await PythonClient.GoodEndAsync(program);

        Assert.Contains("by config: 10", output, StringComparison.Ordinal);
        Assert.Contains("by connection string: 10", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notebook_CellByCell_Runs()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
        using var notebook = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "pyspark", "quickstart.ipynb")));
        var cells = notebook.RootElement.GetProperty("cells").EnumerateArray()
            .Where(cell => cell.GetProperty("cell_type").GetString() == "code")
            .Select(cell => string.Concat(cell.GetProperty("source").EnumerateArray().Select(line => line.GetString())));

        var output = await PythonClient.RunAsync($"import os\nos.environ['SPARK_REMOTE'] = URL\n{string.Join("\n\n", cells)}", gateway.Url("ada"));

        Assert.Contains("total 499500", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quickstart_InJava_Runs()
    {
        var classes = Directory.CreateTempSubdirectory("spark-gateway-example-").FullName;
        try
        {
            Fixtures.CompileJava(Path.Combine(Folder, "java", "Quickstart.java"), classes);
            await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });
            await using var program = JavaClient.Start([.. Fixtures.JavaArguments(classes), "Quickstart", gateway.Url("ada")]);

            var output = await PythonClient.GoodEndAsync(program);

            Assert.Contains("total 499500", output, StringComparison.Ordinal);
            Assert.Contains("0: 34", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(classes, recursive: true);
        }
    }
}
