using System.Globalization;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>The Spark settings that all flavours share, and those that a profile may not make.</summary>
internal static class SparkConfiguration
{
    public const string ServerClass = "org.apache.spark.sql.connect.service.SparkConnectServer";
    public const string ConnectPlugin = "org.apache.spark.sql.connect.SparkConnectPlugin";
    public const string PortKey = "spark.connect.grpc.binding.port";
    public const string TokenVariable = "SPARK_CONNECT_AUTHENTICATE_TOKEN";
    public const string DynamicAllocation = "spark.dynamicAllocation.enabled";
    private const string PluginsKey = "spark.plugins";
    private const string TimeoutPlugin = "org.apache.spark.deploy.DriverTimeoutPlugin";
    private const string TimeoutKey = "spark.driver.timeout";
    private const string Image = "image";
    private const string Size = "size";
    private const string Gateway = "gateway";
    private const string Operator = "operator";

    /// <summary>Key to who sets it. The operator's webhook denies some of them; others would work against us in silence.</summary>
    private static readonly Dictionary<string, string> Owned = new(StringComparer.Ordinal)
    {
        ["spark.master"] = Operator,
        ["spark.kubernetes.driver.master"] = Operator,
        ["spark.kubernetes.namespace"] = Operator,
        ["spark.submit.deployMode"] = Operator,
        ["spark.kubernetes.driver.pod.name"] = Operator,
        ["spark.kubernetes.driver.podTemplateFile"] = Operator,
        ["spark.kubernetes.executor.podTemplateFile"] = Operator,
        ["spark.kubernetes.driver.podTemplateContainerName"] = Operator,
        ["spark.kubernetes.executor.podTemplateContainerName"] = Operator,
        [TimeoutKey] = Gateway,
        [PortKey] = Gateway,
        ["spark.connect.grpc.binding.address"] = Gateway,
        ["spark.connect.authenticate.token"] = Gateway,
        ["spark.driver.cores"] = Size,
        ["spark.driver.memory"] = Size,
        ["spark.driver.memoryOverhead"] = Size,
        ["spark.executor.instances"] = Size,
        ["spark.executor.cores"] = Size,
        ["spark.executor.memory"] = Size,
        ["spark.executor.memoryOverhead"] = Size,
    };

    /// <summary>The profile's settings with the gateway's: plugins are added to a list, never put in the place of one.</summary>
    /// <param name="asPlugin">The server comes up as a plugin of the application, not as its main class.</param>
    public static SortedDictionary<string, string> Of(ApplicationSpec spec, bool asPlugin)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in spec.Profile.SparkConf) settings[key] = value;
        List<string> plugins = [.. settings.GetValueOrDefault(PluginsKey, "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        if (asPlugin) plugins.Add(ConnectPlugin);
        if (spec.Profile.IsSpark4)
        {
            plugins.Add(TimeoutPlugin);
            settings[TimeoutKey] = string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(spec.DriverTimeout.TotalMinutes)}min");
        }

        if (plugins.Count > 0) settings[PluginsKey] = string.Join(',', plugins.Distinct());
        settings[PortKey] = ApplicationSpec.Port.ToString(CultureInfo.InvariantCulture);
        return settings;
    }

    public static JsonObject ToJson(SortedDictionary<string, string> settings) =>
        new(settings.Select(setting => KeyValuePair.Create<string, JsonNode?>(setting.Key, setting.Value)));

    /// <summary>Settings of a profile that somebody else makes.</summary>
    public static IEnumerable<ProfileFault> Check(IEnumerable<string> keys)
    {
        foreach (var key in keys)
            if (WhyNot(key) is { } why)
                yield return new ProfileFault($"spark_conf[{key}]", why);
    }

    private static string? WhyNot(string key)
    {
        if (!key.StartsWith("spark.", StringComparison.Ordinal)) return "Spark ignores a setting whose name does not begin with 'spark.'; correct the name.";
        return OwnerOf(key) switch
        {
            Operator => "the Spark operator sets this itself, and its webhook refuses an application that does; remove it.",
            Gateway => "the gateway sets this for each driver itself; remove it.",
            Image => "the operator's webhook refuses an image among the settings; use the profile's image.",
            Size => $"it would contradict the profile's own key; use {SizeKey(key)}.",
            _ => null,
        };
    }

    private static string? OwnerOf(string key)
    {
        if (Owned.TryGetValue(key, out var owner)) return owner;
        if (key.EndsWith("container.image", StringComparison.Ordinal)) return Image;
        if (key.StartsWith("spark.kubernetes.authenticate.", StringComparison.Ordinal)) return Operator;
        var isOurs = key.StartsWith("spark.kubernetes.driver.label." + GatewayLabels.Prefix, StringComparison.Ordinal)
            || key.StartsWith("spark.kubernetes.driver.annotation." + GatewayLabels.Prefix, StringComparison.Ordinal)
            || (key.StartsWith("spark.kubernetes.driver", StringComparison.Ordinal) && key.EndsWith('.' + TokenVariable, StringComparison.Ordinal));
        return isOurs ? Gateway : null;
    }

    private static string SizeKey(string key) => key["spark.".Length..].Replace('.', '_').Replace("memoryOverhead", "memory_overhead", StringComparison.Ordinal);
}
