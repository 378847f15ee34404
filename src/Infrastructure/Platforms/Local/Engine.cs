namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>The program that local drivers run.</summary>
public abstract record Engine
{
    private Engine()
    {
    }

    /// <param name="Home">A folder with bin/spark-submit and jars/.</param>
    /// <param name="Version">Its Spark version, such as 4.1.0.</param>
    /// <param name="Python">The Python that runs UDFs, by path or by name on PATH.</param>
    /// <param name="HasHive">It brings a Hive catalog.</param>
    public sealed record Spark(string Home, string Version, string Python, bool HasHive) : Engine;

    /// <param name="Program">The path of the sail program.</param>
    public sealed record Sail(string Program) : Engine;
}
