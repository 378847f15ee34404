using System.Collections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.SparkUi;

namespace SparkGateway.Infrastructure.Platforms.Local;

public static class LocalServices
{
    /// <summary>Platform `local`. Needs GatewayOptions as a singleton, logging, and AddAttachedSessions.</summary>
    public static IServiceCollection AddLocalPlatform(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new SparkLocator(provider.GetRequiredService<GatewayOptions>()));
        services.AddSingleton(provider => new DriverCommands(provider.GetRequiredService<GatewayOptions>(), CurrentEnvironment));
        services.TryAddSingleton<UiPorts>();
        services.AddSingleton<DriverTokens>();
        services.AddSingleton<IDriverTokens>(provider => provider.GetRequiredService<DriverTokens>());
        services.AddSingleton<IDriverPlatform, LocalPlatform>();
        services.AddSingleton<IDriverLogs, DriverLogFiles>();
        services.AddSingleton<IReadinessCheck, LocalReadiness>();
        return services;
    }

    internal static Dictionary<string, string> CurrentEnvironment() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
