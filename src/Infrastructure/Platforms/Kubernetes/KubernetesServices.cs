using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SparkGateway.Features;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

public static class KubernetesServices
{
    /// <summary>Platform `kubernetes`. Needs GatewayOptions as a singleton, logging, AddFeatures, AddSessionStore and AddAttachedSessions.</summary>
    public static IServiceCollection AddKubernetesPlatform(this IServiceCollection services, GatewayOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddKubernetesApi();
        services.AddSingleton(provider => new ClusterView(provider.GetRequiredService<IKubeApi>(), UsedFlavours(options)));
        services.AddSingleton<OwnInstance>();
        services.AddSingleton<ApplicationFinder>();
        services.AddSingleton<ProfileCatalog>();
        services.AddSingleton<ApplicationMaker>();
        services.AddSingleton<StartEvidence>();
        services.AddSingleton<DriverLauncher>();
        services.AddSingleton<DriverStopper>();
        services.AddSingleton<DriverLogs>();
        services.AddSingleton<LiveDrivers>();
        services.AddSingleton<PodFinder>();
        services.AddSingleton<IDriverCheck, DriverCheck>();
        services.AddSingleton<KubernetesPlatform>();
        services.AddSingleton<AttachedApplications>();
        services.AddSingleton<AccessCheck>();
        services.AddSingleton<DriverTokens>();
        services.AddSingleton<IDriverTokens>(provider => provider.GetRequiredService<DriverTokens>());
        services.AddSingleton<IDriverPlatform>(provider => provider.GetRequiredService<KubernetesPlatform>());
        services.AddSingleton<IDriverLogs>(provider => provider.GetRequiredService<DriverLogs>());
        services.AddSingleton<IDriverInventory, DriverInventory>();
        services.AddSingleton<IReadinessCheck, KubernetesReadiness>();
        services.AddHostedService<KubernetesLoops>();
        return services.AddClusterSlices();
    }

    /// <summary>Those of the profiles; others need not be installed on the cluster.</summary>
    private static List<IFlavour> UsedFlavours(GatewayOptions options)
    {
        var names = options.Kubernetes.Profiles.Values.Select(profile => profile.Flavour).ToHashSet();
        return [.. AllFlavours.List.Where(flavour => names.Contains(flavour.Name))];
    }
}
