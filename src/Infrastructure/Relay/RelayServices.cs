using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay;

public static class RelayServices
{
    /// <summary>The data plane on SparkConnectListener. Needs GatewayOptions, TimeProvider, logging, AddFeatures and AddRouteTable.</summary>
    public static IServiceCollection AddRelay(this IServiceCollection services, GatewayOptions options)
    {
        if (!options.SparkConnect.Enabled) return services;
        InlineCompletions.Prepare();
        services.AddSingleton<IRelayControl, RelayControl>();
        services.AddSingleton(provider => new DriverDoubts(provider.GetService<IDriverCheck>()));
        services.AddSingleton(provider => new RelayHostServices(options.Relay, provider.GetRequiredService<IRelayControl>(), provider.GetRequiredService<DriverDoubts>(), provider.GetRequiredService<TimeProvider>(), Log(provider)));
        services.AddSingleton(provider => Share(options, provider));
        services.AddClientTokens(options);
        services.AddSingleton(provider => Serve(options, provider));
        services.AddHostedService(provider => provider.GetRequiredService<RelayServer>());
        services.AddSingleton<IReadinessCheck, RelayReadiness>();
        if (options.SparkConnect.Tls.CertFile.Length > 0) services.AddSingleton<IStartCheck>(provider => new CertificateCheck(options, provider.GetRequiredService<TimeProvider>(), Log(provider)));
        return services;
    }

    /// <summary>Read before the port serves: hosted services start in the order of their registration.</summary>
    private static void AddClientTokens(this IServiceCollection services, GatewayOptions options)
    {
        if (options.SparkConnect.TokenFile.Length == 0) return;
        services.AddSingleton<ClientTokens>();
        services.AddHostedService<ClientTokenWatcher>();
    }

    private static RelayShared Share(GatewayOptions options, IServiceProvider provider)
    {
        var routes = provider.GetRequiredService<IRouteTable>();
        var self = provider.GetRequiredService<Replica>();
        var limits = new RelayLimits(options.Relay);
        var parked = new ParkedTotal(limits.ParkedTotal);
        GatewayMetrics.Observe(new MetricSources
        {
            Active = () => routes.Routes.Select(route => route.Session).Where(session => session.OwnerReplica == self.Id),
            OpenCalls = () => routes.Routes.Sum(route => route.OpenCalls),
            Parked = parked,
        });
        return new RelayShared(limits, new HeaderNames(options.SparkConnect.Headers, options.Identity.Header), routes, parked, new Inflater())
        {
            Access = Access(options, provider.GetService<ClientTokens>()),
            Tracer = options.Telemetry.TraceCallsRatio > 0 ? new CallTracer((double)options.Telemetry.TraceCallsRatio) : null,
        };
    }

    private static RelayServer Serve(GatewayOptions options, IServiceProvider provider)
    {
        var server = new RelayServer(provider.GetRequiredService<SparkConnectListener>(), provider.GetRequiredService<RelayHostServices>(),
            provider.GetRequiredService<RelayShared>(), Certificate(options, provider), options);
        GatewayMetrics.Observe(GatewayMetrics.Sources with { Traffic = server.ReadTraffic });
        return server;
    }

    private static AccessRules? Access(GatewayOptions options, ClientTokens? tokens) =>
        tokens is null && options.Identity.Header.Length == 0 ? null : new AccessRules(tokens, options.Identity.Enforce ? options.Identity.Header : null);

    private static ILogger Log(IServiceProvider provider) => provider.GetRequiredService<ILoggerFactory>().CreateLogger("SparkGateway.Relay");

    private static ServerCertificate? Certificate(GatewayOptions options, IServiceProvider provider) =>
        options.SparkConnect.Tls.CertFile.Length == 0 ? null : new ServerCertificate(options.SparkConnect.Tls, provider.GetRequiredService<TimeProvider>(), Log(provider));

    /// <summary>A certificate that cannot be used is found before the gateway serves.</summary>
    private sealed class CertificateCheck(GatewayOptions options, TimeProvider time, ILogger logger) : IStartCheck
    {
        public Task<GatewayError?> CheckAsync(CancellationToken cancellation)
        {
            try
            {
                _ = new ServerCertificate(options.SparkConnect.Tls, time, logger);
                return Task.FromResult<GatewayError?>(null);
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                return Task.FromResult<GatewayError?>(GatewayError.Invalid(
                    $"The certificate {options.SparkConnect.Tls.CertFile} with the key {options.SparkConnect.Tls.KeyFile} cannot be used ({e.Message}); set spark_connect.tls.cert_file and spark_connect.tls.key_file to a PEM certificate and its key."));
            }
        }
    }
}
