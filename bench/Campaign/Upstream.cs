namespace SparkGateway.Campaign;

/// <summary>Two servers that stand for a driver: one answers from files, one sends back what it is sent.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    public const int Port = 31080;
    public const int EchoPort = 31081;
    public const string Service = "/spark.connect.SparkConnectService/";
    public const int SmallBytes = 100;
    public const int LargeBytes = 4 << 20;

    private readonly Server files;
    private readonly Server echo;

    private Upstream(Server files, Server echo)
    {
        this.files = files;
        this.echo = echo;
    }

    /// <summary>Request bodies, and answers under the names of the calls.</summary>
    public static async Task<Upstream> StartAsync(string folder, CancellationToken stop)
    {
        var answers = Path.Combine(folder, "www");
        Directory.CreateDirectory(answers + Service);
        await File.WriteAllBytesAsync(answers + Service + "AnalyzePlan", Messages.Make(SmallBytes), stop);
        await File.WriteAllBytesAsync(answers + Service + "AddArtifacts", Messages.Make(SmallBytes), stop);
        await File.WriteAllBytesAsync(answers + Service + "ExecutePlan", Messages.Make(LargeBytes), stop);
        await File.WriteAllBytesAsync(Path.Combine(folder, "small"), Messages.Make(SmallBytes), stop);
        await File.WriteAllBytesAsync(Path.Combine(folder, "large"), Messages.Make(LargeBytes), stop);
        string[] common = ["--no-tls", "-a", "127.0.0.1", "-d", answers, "-m", "1000", "-w", "20", "-W", "20", "--trailer", "grpc-status: 0"];
        var files = await Server.StartAsync(folder, "upstream", "nghttpd", [.. common, $"{Port}"], Port, stop);
        try
        {
            return new Upstream(files, await Server.StartAsync(folder, "echo", "nghttpd", [.. common, "--echo-upload", $"{EchoPort}"], EchoPort, stop));
        }
        catch
        {
            await files.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await files.DisposeAsync();
        await echo.DisposeAsync();
    }
}
