using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>A real driver that the test started itself: to be attached, or to compare with.</summary>
internal sealed class DirectDriver : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly OwnedProcess process;
    private readonly string folder;

    private DirectDriver(OwnedProcess process, string folder, int port)
    {
        this.process = process;
        this.folder = folder;
        Port = port;
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public OwnedProcess Process => process;

    /// <param name="options">More options of start-driver.sh.</param>
    public static async Task<DirectDriver> StartSparkAsync(params string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-driver-").FullName;
        var port = Ports.Free();
        var process = OwnedProcess.Start(
            "the driver", Fixtures.StartDriver, ["--host", "127.0.0.1", "--port", $"{port}", "--work", folder, .. options], [("PYSPARK_PYTHON", SparkFixture.Python)], folder);
        return await ReadyAsync(new DirectDriver(process, folder, port));
    }

    public static async Task<DirectDriver> StartSailAsync()
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-driver-").FullName;
        var port = Ports.Free();
        var process = OwnedProcess.Start("Sail", SparkFixture.Sail, ["spark", "server", "--ip", "127.0.0.1", "--port", $"{port}"], [], folder);
        return await ReadyAsync(new DirectDriver(process, folder, port));
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<DirectDriver> ReadyAsync(DirectDriver driver)
    {
        await Deadlines.UntilAsync("the driver's open port", async () =>
        {
            if (driver.process.HasExited) throw new InvalidOperationException($"The driver ended:\n{driver.process.Output}");
            return await Ports.IsOpenAsync(driver.Port);
        }, StartLimit);
        return driver;
    }
}
