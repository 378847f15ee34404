using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>What the host needs of the telemetry inside.</summary>
public static class TelemetryServices
{
    /// <summary>The name of all our instruments and spans.</summary>
    public const string SourceName = "SparkGateway";

    private const string Bare = "unmetered";

    public static string Version => BuildInfo.Version;

    public static IReadOnlyList<EmptyHistogram> EmptyHistograms => GatewayMetrics.EmptyAtFirst;

    /// <summary>Counts and times what the platform does, whichever was registered before.</summary>
    public static IServiceCollection AddPlatformMetrics(this IServiceCollection services)
    {
        var platform = services.Last(service => service.ServiceType == typeof(IDriverPlatform) && !service.IsKeyedService);
        services.Remove(platform);
        services.AddKeyedSingleton(Bare, (provider, _) =>
            (IDriverPlatform)(platform.ImplementationFactory?.Invoke(provider) ?? platform.ImplementationInstance ?? ActivatorUtilities.CreateInstance(provider, platform.ImplementationType!)));
        return services.AddSingleton<IDriverPlatform>(provider => new MeteredDriverPlatform(provider.GetRequiredKeyedService<IDriverPlatform>(Bare), provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>Once the exporter listens.</summary>
    public static void Announce() => GatewayMetrics.Announce();
}
