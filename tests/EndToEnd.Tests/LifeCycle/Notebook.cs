using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>A stock PySpark client that runs one cell after the other, each when the test says so.</summary>
internal sealed class Notebook : IAsyncDisposable
{
    /// <summary>Opens the session, with something in it that only its driver has.</summary>
    public const string Open =
        """
        spark = SparkSession.builder.remote(URL).getOrCreate()
        spark.range(7).createOrReplaceTempView("kept")
        print("first", spark.range(3).count())
        """;

    /// <summary>Prints what is kept, or why it is not.</summary>
    public const string Ask =
        """
        try:
            print("kept", spark.table("kept").count())
        except Exception as error:
            print("told", " ".join(str(error).split()))
        """;

    /// <summary>What a user does who was told that the session has ended.</summary>
    public const string Again =
        """
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("again", spark.range(4).count())
        spark.stop()
        """;

    public const string Stop = "spark.stop()";

    private readonly Marker marker;
    private readonly OwnedProcess client;
    private int cell = -1;

    private Notebook(Marker marker, OwnedProcess client)
    {
        this.marker = marker;
        this.client = client;
    }

    /// <summary>A cell may say so by a file at RUNNING.</summary>
    public static Notebook Start(string url, params string[] cells)
    {
        var marker = new Marker();
        var steps = cells.Select((cell, number) => $"wait_for('{marker.Path($"go{number}")}')\n{cell}\nprint('{Done(number)}')");
        var program =
            $"RUNNING = '{marker.Path("running")}'\n" +
            """
            import os, sys, time
            from pyspark.sql import SparkSession

            def wait_for(path):
                while not os.path.exists(path):
                    time.sleep(0.05)

            """ + $"\n{string.Join('\n', steps)}\n";
        return new Notebook(marker, PythonClient.Start(program, url));
    }

    /// <summary>Begins the next cell.</summary>
    public void Begin() => marker.Set($"go{++cell}");

    public Task RunningAsync() => marker.SeenAsync("running", client);

    /// <summary>What the cell that was begun last has printed in all.</summary>
    public async Task<string> EndAsync(TimeSpan? limit = null)
    {
        await client.LineAsync($"the end of cell {cell}", line => line == Done(cell), limit ?? PythonClient.Limit);
        var lines = client.Lines;
        var before = cell == 0 ? lines : lines.SkipWhile(line => line != Done(cell - 1)).Skip(1);
        return string.Join('\n', before.TakeWhile(line => line != Done(cell)));
    }

    /// <summary>Runs the next cell.</summary>
    public Task<string> RunAsync()
    {
        Begin();
        return EndAsync();
    }

    /// <summary>The program's own end, after its last cell.</summary>
    public Task LeaveAsync() => PythonClient.GoodEndAsync(client);

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        marker.Dispose();
    }

    private static string Done(int number) => $"cell {number} is done";
}
