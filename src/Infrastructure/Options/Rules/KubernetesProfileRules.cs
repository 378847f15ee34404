using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Each profile is one that its operator can run, and each team has one and a namespace.</summary>
internal static class KubernetesProfileRules
{
    private const string ProfilesKey = "kubernetes.profiles";
    private const string OnDemandKey = "spark_connect.on_demand.";

    public static void Check(RuleContext context)
    {
        foreach (var (name, profile) in context.Options.Kubernetes.Profiles) CheckProfile(context, name, profile);
        if (context.Options.Platform == "kubernetes" && context.Options.SparkConnect.OnDemand.Enabled) CheckTeams(context);
    }

    private static void CheckProfile(RuleContext context, string name, KubernetesProfileOptions options)
    {
        var profile = ProfileCatalog.Resolve(name, options, context.Options.SparkConnect.OnDemand);
        foreach (var fault in ProfileChecks.Check(profile))
            if (KeyOf(context, name, options, fault) is { } key && !context.Problems.Exists(problem => problem.Key == key))
                context.Refuse(key, fault.Text);
        if (!profile.IsSpark4)
            context.Warn($"{ProfilesKey}[{name}]", $"Spark {profile.SparkVersion} knows neither driver tokens nor spark.driver.timeout: whoever reaches the driver's port may use it, and it stays if no gateway ends it. Keep others out with a NetworkPolicy, or use Spark 4.0 or later.");
    }

    /// <summary>A setting may come from on_demand, which counts for this platform only where it is in use.</summary>
    private static string? KeyOf(RuleContext context, string name, KubernetesProfileOptions options, ProfileFault fault)
    {
        var isGeneral = fault.Key.StartsWith("spark_conf[", StringComparison.Ordinal) && !options.SparkConf.ContainsKey(fault.Key["spark_conf[".Length..^1]);
        if (!isGeneral) return $"{ProfilesKey}[{name}].{fault.Key}";
        return context.Options.Platform == "kubernetes" ? OnDemandKey + fault.Key : null;
    }

    private static void CheckTeams(RuleContext context)
    {
        var (onDemand, kubernetes) = (context.Options.SparkConnect.OnDemand, context.Options.Kubernetes);
        var known = kubernetes.Profiles.Count == 0 ? "there is none" : $"there are: {string.Join(", ", kubernetes.Profiles.Keys)}";
        if (!kubernetes.Profiles.ContainsKey(kubernetes.DefaultProfile) && (onDemand.AnyTeam || onDemand.Teams.Exists(team => team.Profile.Length == 0)))
            context.Refuse("kubernetes.default_profile", $"'{kubernetes.DefaultProfile}' is not in {ProfilesKey}, {known}; add it, with an image at least.");
        for (var i = 0; i < onDemand.Teams.Count; i++)
        {
            var team = onDemand.Teams[i];
            if (team.Profile.Length > 0 && !kubernetes.Profiles.ContainsKey(team.Profile))
                context.Refuse($"{OnDemandKey}teams[{i}].profile", $"'{team.Profile}' is not in {ProfilesKey}, {known}; correct the name, or add the profile.");
            var space = context.Options.SparkConnect.DefaultNamespacePattern
                .Replace("{team}", team.Team, StringComparison.Ordinal)
                .Replace("{environment}", team.Environment, StringComparison.Ordinal);
            if (!SessionName.IsLabel(space))
                context.Refuse($"{OnDemandKey}teams[{i}]", $"its sessions would be in namespace '{space}', which has {space.Length} characters; allowed: {SessionName.LabelRule}. Shorten spark_connect.default_namespace_pattern, or the names.");
        }
    }
}
