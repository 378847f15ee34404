using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>Files by which a test and the programs that it started tell each other how far they are.</summary>
internal sealed class Marker : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-marker-").FullName;

    public string Path(string name) => System.IO.Path.Combine(folder, name);

    /// <summary>Waits until a program has written that file.</summary>
    public Task SeenAsync(string name, OwnedProcess writer, TimeSpan? limit = null) => Deadlines.UntilAsync(
        $"the marker {name}",
        () => File.Exists(Path(name)) || (writer.HasExited ? throw new InvalidOperationException($"The program ended before {name}:\n{writer.Output}") : false),
        limit ?? PythonClient.Limit);

    public void Set(string name) => File.WriteAllText(Path(name), "");

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
