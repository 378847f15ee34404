using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

internal static class KubernetesApiServices
{
    /// <summary>The API server as <see cref="IKubeApi"/>. Needs GatewayOptions as a singleton, and logging. Nothing is sent before the first call.</summary>
    public static IServiceCollection AddKubernetesApi(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(AccessEnvironment.OfThisProcess);
        services.AddSingleton(provider => new KubeLimits(provider.GetRequiredService<GatewayOptions>().Kubernetes));
        services.AddSingleton<AccessSource>();
        services.AddSingleton(provider => new KubeConnection(
            provider.GetRequiredService<AccessSource>().LoadAsync,
            provider.GetRequiredService<KubeLimits>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KubeConnection>>()));
        services.AddSingleton<KubeTransport>();
        services.AddSingleton<IKubeApi, KubeApi>();
        return services;
    }
}
