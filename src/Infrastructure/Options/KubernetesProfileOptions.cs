using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Options;

/// <summary>The section kubernetes: what drivers are made of, and when a start is given up.</summary>
public sealed partial class KubernetesOptions
{
    /// <summary>Of the teams that name none.</summary>
    public string DefaultProfile { get; set; } = "default";

    public Dictionary<string, KubernetesProfileOptions> Profiles { get; set; } = [];

    /// <summary>How long a driver outlives max TTL if no gateway ends it.</summary>
    public int DriverTimeoutMarginMinutes { get; set; } = 5;

    /// <summary>How long the operator keeps an application that has ended.</summary>
    public int FinishedTtlSeconds { get; set; } = 600;

    /// <summary>How long the cluster may refuse a new application for a reason that passes.</summary>
    public int CreateGraceSeconds { get; set; } = 60;

    public int UnschedulableGraceSeconds { get; set; } = 120;

    public int ImageGraceSeconds { get; set; } = 60;

    public int ConfigurationGraceSeconds { get; set; } = 60;
}

/// <summary>What the drivers of a team are made of. Empty sizes: those of spark_connect.on_demand.</summary>
public sealed class KubernetesProfileOptions
{
    /// <summary>spark-application, spark-connect or apache.</summary>
    public string Flavour { get; set; } = "spark-application";

    public string Image { get; set; } = "";

    public string ImagePullPolicy { get; set; } = "IfNotPresent";

    public List<string> ImagePullSecrets { get; set; } = [];

    public string MainClass { get; set; } = "";

    public string MainApplicationFile { get; set; } = "";

    public List<string> Arguments { get; set; } = [];

    public string ServiceAccount { get; set; } = "spark";

    public string SparkVersion { get; set; } = "";

    /// <summary>Over spark_connect.on_demand.spark_conf.</summary>
    public Dictionary<string, string> SparkConf { get; set; } = [];

    public string DriverCores { get; set; } = "";

    public string DriverMemory { get; set; } = "";

    public string DriverMemoryOverhead { get; set; } = "";

    /// <summary>-1: as in spark_connect.on_demand.</summary>
    public int ExecutorInstances { get; set; } = -1;

    public string ExecutorCores { get; set; } = "";

    public string ExecutorMemory { get; set; } = "";

    public string ExecutorMemoryOverhead { get; set; } = "";

    /// <summary>A PodTemplateSpec in Kubernetes' own words.</summary>
    public JsonObject DriverTemplate { get; set; } = [];

    /// <summary>A PodTemplateSpec in Kubernetes' own words.</summary>
    public JsonObject ExecutorTemplate { get; set; } = [];
}
