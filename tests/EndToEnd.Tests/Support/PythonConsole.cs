namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>A Python process with the stock client that runs one step after another, as a notebook runs its cells: names live on, errors are shown.</summary>
internal sealed class PythonConsole : IAsyncDisposable
{
    private const string Loop =
        """
        import contextlib, io, itertools, os, time
        from pyspark.sql import SparkSession
        for number in itertools.count():
            step = f"{FOLDER}/{number}"
            while not os.path.exists(step + ".py"):
                time.sleep(0.02)
            text, shown = open(step + ".py").read(), io.StringIO()
            with contextlib.redirect_stdout(shown):
                try:
                    exec(text, globals())
                except Exception as error:
                    print("told", " ".join(str(error).split()))
            with open(step + ".part", "w") as file:
                file.write(shown.getvalue())
            os.rename(step + ".part", step + ".out")
        """;

    private readonly Marker files = new();
    private readonly OwnedProcess process;
    private int steps;

    private PythonConsole() => process = PythonClient.Start($"FOLDER = '{Path.GetDirectoryName(files.Path("any"))}'\n{Loop}", "");

    public static PythonConsole Start() => new();

    /// <summary>Runs the step, and gives what it printed: "told" and the error's text, if it failed.</summary>
    public async Task<string> RunAsync(string step, TimeSpan? limit = null)
    {
        var name = $"{steps++}";
        await File.WriteAllTextAsync(files.Path($"{name}.part"), step);
        File.Move(files.Path($"{name}.part"), files.Path($"{name}.py"));
        await files.SeenAsync($"{name}.out", process, limit);
        return await File.ReadAllTextAsync(files.Path($"{name}.out"));
    }

    /// <summary>Opens a session of that name with a small query, and gives its rows, or what its user was told.</summary>
    public Task<string> OpenAsync(string name, string url, TimeSpan? limit = null) =>
        RunAsync($"{name} = SparkSession.builder.remote('{url}').create()\nprint('rows', {name}.range(3).count())", limit);

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        files.Dispose();
    }
}
