using System.Globalization;
using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>A profile's pod templates with the gateway's parts added. What the profile says wins where both may speak.</summary>
internal static class PodTemplates
{
    public const string DriverContainer = "spark-kubernetes-driver";
    public const string PortName = "spark-connect";

    private const int MinimumOverheadMebibytes = 384;

    /// <summary>The template with the driver's container: its port by name, and ready once that is open.</summary>
    public static JsonObject Driver(ApplicationSpec spec)
    {
        var template = spec.Profile.DriverTemplate.DeepClone().AsObject();
        var container = Container(template);
        container["readinessProbe"] ??= new JsonObject
        {
            ["tcpSocket"] = new JsonObject { ["port"] = ApplicationSpec.Port },
            ["periodSeconds"] = 2,
        };
        var ports = List(container, "ports");
        if (!ports.Any(port => port!["name"]?.ToString() == PortName))
            ports.Add((JsonNode)new JsonObject { ["name"] = PortName, ["containerPort"] = ApplicationSpec.Port, ["protocol"] = "TCP" });
        return template;
    }

    /// <summary>The executors' template, null if the profile has none.</summary>
    public static JsonNode? Executor(Profile profile) => profile.ExecutorTemplate.Count == 0 ? null : profile.ExecutorTemplate.DeepClone();

    public static JsonObject Container(JsonObject template)
    {
        var containers = List(Map(template, "spec"), "containers");
        if (containers.FirstOrDefault(item => item!["name"]?.ToString() == DriverContainer) is JsonObject known) return known;
        var container = new JsonObject { ["name"] = DriverContainer };
        containers.Add((JsonNode)container);
        return container;
    }

    public static void SetLabels(JsonObject template, JsonObject labels)
    {
        var own = Map(Map(template, "metadata"), "labels");
        foreach (var (key, value) in labels) own[key] = value!.DeepClone();
    }

    /// <summary>An environment variable out of the Secret with the driver's token.</summary>
    public static void SetToken(JsonObject container, string secret) => List(container, "env").Add((JsonNode)new JsonObject
    {
        ["name"] = SparkConfiguration.TokenVariable,
        ["valueFrom"] = new JsonObject { ["secretKeyRef"] = new JsonObject { ["name"] = secret, ["key"] = ApplicationSpec.TokenKey } },
    });

    /// <summary>What spark-submit would ask for, where nobody else does: memory with its overhead, which is the limit too.</summary>
    public static void SetResources(JsonObject container, PodSize size)
    {
        var memory = Mebibytes(size.Memory);
        var overhead = size.MemoryOverhead.Length > 0 ? Mebibytes(size.MemoryOverhead) : Math.Max(MinimumOverheadMebibytes, memory / 10);
        var total = string.Create(CultureInfo.InvariantCulture, $"{memory + overhead}Mi");
        var resources = Map(container, "resources");
        var requests = Map(resources, "requests");
        requests["cpu"] ??= size.Cores.ToString(CultureInfo.InvariantCulture);
        requests["memory"] ??= total;
        Map(resources, "limits")["memory"] ??= total;
    }

    public static JsonObject Map(JsonObject parent, string key)
    {
        if (parent[key] is JsonObject map) return map;
        var made = new JsonObject();
        parent[key] = made;
        return made;
    }

    private static JsonArray List(JsonObject parent, string key)
    {
        if (parent[key] is JsonArray list) return list;
        var made = new JsonArray();
        parent[key] = made;
        return made;
    }

    private static long Mebibytes(string size)
    {
        var number = long.Parse(size.AsSpan(0, size.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return size[^1] switch
        {
            'k' => Math.Max(1, number / 1024),
            'm' => number,
            'g' => number * 1024,
            _ => number * 1024 * 1024,
        };
    }
}
