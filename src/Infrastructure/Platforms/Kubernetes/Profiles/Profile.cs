using System.Globalization;
using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

/// <summary>What a driver on the cluster is made of: a profile of the configuration, with what it leaves out filled in from on_demand.</summary>
internal sealed record Profile
{
    public required string Name { get; init; }

    /// <summary>The name of an IFlavour.</summary>
    public required string Flavour { get; init; }

    public required string Image { get; init; }

    public required string ImagePullPolicy { get; init; }

    public IReadOnlyList<string> ImagePullSecrets { get; init; } = [];

    /// <summary>Empty: the flavour's own.</summary>
    public string MainClass { get; init; } = "";

    /// <summary>Empty: the flavour's own.</summary>
    public string MainApplicationFile { get; init; } = "";

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public required string ServiceAccount { get; init; }

    public required string SparkVersion { get; init; }

    public IReadOnlyDictionary<string, string> SparkConf { get; init; } = new Dictionary<string, string>();

    public required PodSize Driver { get; init; }

    public required PodSize Executor { get; init; }

    public required int ExecutorInstances { get; init; }

    /// <summary>A PodTemplateSpec, or empty.</summary>
    public JsonObject DriverTemplate { get; init; } = [];

    /// <summary>A PodTemplateSpec, or empty.</summary>
    public JsonObject ExecutorTemplate { get; init; } = [];

    /// <summary>From 4.0 on a driver can demand a token, and end itself after a time.</summary>
    public bool IsSpark4 =>
        int.TryParse(SparkVersion.AsSpan(0, Math.Max(0, SparkVersion.IndexOf('.', StringComparison.Ordinal))), NumberStyles.None, CultureInfo.InvariantCulture, out var major) && major >= 4;
}

/// <param name="Memory">A size of Java's: 4g.</param>
/// <param name="MemoryOverhead">The same, beside the heap; empty: Spark's rule.</param>
internal sealed record PodSize(int Cores, string Memory, string MemoryOverhead);

/// <summary>One thing that is wrong with a profile.</summary>
/// <param name="Key">Its key inside the profile, such as spark_conf[spark.master].</param>
/// <param name="Text">What is wrong, why, and what to do.</param>
internal sealed record ProfileFault(string Key, string Text);
