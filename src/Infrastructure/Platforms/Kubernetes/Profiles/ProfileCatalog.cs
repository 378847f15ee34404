using System.Globalization;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

/// <summary>Which profile the drivers of a team are made of. That each name leads to one is checked with the configuration.</summary>
internal sealed class ProfileCatalog(GatewayOptions options)
{
    public Profile For(string team, string environment)
    {
        var own = options.SparkConnect.OnDemand.Teams.Find(pair => pair.Team == team && pair.Environment == environment)?.Profile ?? "";
        var name = own.Length > 0 ? own : options.Kubernetes.DefaultProfile;
        return Resolve(name, options.Kubernetes.Profiles[name], options.SparkConnect.OnDemand);
    }

    /// <summary>The profile as it is used. What check-config refuses is in it too.</summary>
    public static Profile Resolve(string name, KubernetesProfileOptions profile, OnDemandOptions onDemand) => new()
    {
        Name = name,
        Flavour = profile.Flavour,
        Image = profile.Image,
        ImagePullPolicy = profile.ImagePullPolicy,
        ImagePullSecrets = profile.ImagePullSecrets,
        MainClass = profile.MainClass,
        MainApplicationFile = profile.MainApplicationFile,
        Arguments = profile.Arguments,
        ServiceAccount = profile.ServiceAccount,
        SparkVersion = Either(profile.SparkVersion, onDemand.SparkVersion),
        SparkConf = Merged(onDemand.SparkConf, profile.SparkConf),
        Driver = new PodSize(Count(Either(profile.DriverCores, onDemand.DriverCores)), Memory(Either(profile.DriverMemory, onDemand.DriverMemory)), Memory(profile.DriverMemoryOverhead)),
        Executor = new PodSize(Count(Either(profile.ExecutorCores, onDemand.ExecutorCores)), Memory(Either(profile.ExecutorMemory, onDemand.ExecutorMemory)), Memory(profile.ExecutorMemoryOverhead)),
        ExecutorInstances = profile.ExecutorInstances >= 0 ? profile.ExecutorInstances : onDemand.ExecutorInstances,
        DriverTemplate = profile.DriverTemplate,
        ExecutorTemplate = profile.ExecutorTemplate,
    };

    private static string Either(string own, string general) => own.Length > 0 ? own : general;

    private static int Count(string cores) => int.Parse(cores, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>"4GB" and "4g" are one size to Spark; the operators' webhooks know the second.</summary>
    private static string Memory(string size)
    {
        var lower = size.ToLowerInvariant();
        return lower.EndsWith('b') ? lower[..^1] : lower;
    }

    private static SortedDictionary<string, string> Merged(Dictionary<string, string> general, Dictionary<string, string> own)
    {
        var merged = new SortedDictionary<string, string>(general, StringComparer.Ordinal);
        foreach (var (key, value) in own) merged[key] = value;
        return merged;
    }
}
