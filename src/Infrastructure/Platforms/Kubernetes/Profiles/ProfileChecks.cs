using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

/// <summary>What is wrong with a profile, before an operator or a user finds out.</summary>
internal static class ProfileChecks
{
    public static IEnumerable<ProfileFault> Check(Profile profile) =>
        Common(profile)
            .Concat(SparkConfiguration.Check(profile.SparkConf.Keys))
            .Concat(TemplateCheck.Driver(profile.DriverTemplate))
            .Concat(TemplateCheck.Executor(profile.ExecutorTemplate))
            .Concat(AllFlavours.Named(profile.Flavour).Check(profile));

    private static IEnumerable<ProfileFault> Common(Profile profile)
    {
        if (profile.Image.Length == 0)
            yield return new ProfileFault("image", "is missing; name the image that drivers and executors run.");
        var isDynamic = profile.SparkConf.GetValueOrDefault(SparkConfiguration.DynamicAllocation) == "true";
        if (profile.ExecutorInstances == 0 && !isDynamic)
            yield return new ProfileFault("executor_instances", $"without executors no query ever ends on a cluster; raise it, or set {SparkConfiguration.DynamicAllocation}: \"true\" in spark_conf.");
    }
}
