using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>Programs with the stock PySpark client, which knows nothing but an sc:// address.</summary>
internal static class PythonClient
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Nothing of the caller's own Spark set-up reaches a client, and USER is not relied on.</summary>
    private static readonly (string, string?)[] Clean =
    [
        ("SPARK_REMOTE", null), ("SPARK_HOME", null), ("SPARK_CONNECT_MODE_ENABLED", null), ("SPARK_CONNECT_AUTHENTICATE_TOKEN", null),
        ("PYTHONPATH", null), ("SPARK_USER", null), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1"),
    ];

    /// <summary>Starts the program; `URL` is defined in it.</summary>
    public static OwnedProcess Start(string program, string url, params (string, string?)[] environment)
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-client-").FullName;
        var file = Path.Combine(folder, "client.py");
        File.WriteAllText(file, $"URL = {Quote(url)}\n{program}");
        return OwnedProcess.Start("the Python client", SparkFixture.Python, [file], [.. Clean, .. environment], folder, ownsFolder: true);
    }

    public static OwnedProcess StartFile(string file, params IEnumerable<string> arguments) =>
        OwnedProcess.Start("the Python client", SparkFixture.Python, [file, .. arguments], Clean, Path.GetTempPath());

    /// <summary>Runs the program to its end, which must be a good one, and gives what it printed.</summary>
    public static async Task<string> RunAsync(string program, string url, TimeSpan? limit = null)
    {
        await using var client = Start(program, url);
        return await GoodEndAsync(client, limit);
    }

    public static async Task<string> GoodEndAsync(OwnedProcess client, TimeSpan? limit = null)
    {
        var exit = await client.ExitAsync(limit ?? Limit);
        Assert.True(exit == 0, $"The client ended with exit code {exit}:\n{client.Output}");
        return client.Output;
    }

    private static string Quote(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
