using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Attached;

public static class AttachedServices
{
    /// <summary>The attached sessions, filled from GatewayOptions (a singleton); Update replaces them later.</summary>
    public static IServiceCollection AddAttachedSessions(this IServiceCollection services) => services.AddSingleton(provider =>
    {
        var sessions = new AttachedSessions(provider.GetRequiredService<ILogger<AttachedSessions>>());
        sessions.Update(provider.GetRequiredService<GatewayOptions>().SparkConnect.Attached);
        return sessions;
    });
}
