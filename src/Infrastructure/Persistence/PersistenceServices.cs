using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Persistence;

public static class PersistenceServices
{
    /// <summary>
    /// ISessionStore, <see cref="Migrator"/>, <see cref="StoreHealth"/> and, unless there is one, the <see cref="Replica"/> that this
    /// process is. Nothing is opened before <see cref="Migrator"/> is asked: ask it first, it answers with a sentence what is wrong.
    /// </summary>
    public static IServiceCollection AddSessionStore(this IServiceCollection services, GatewayOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new Replica(Guid.NewGuid(), Environment.MachineName, IsOnly: options.Store.Kind == "sqlite", Path.GetFullPath(options.StateDir)));
        services.AddLogging();
        services.AddSingleton(provider => new Migrator(options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Migrator>>()));
        services.AddSingleton(_ => StoreDialect.From(options).Value);
        services.AddPooledDbContextFactory<GatewayDbContext>((provider, builder) => Configure(builder, provider.GetRequiredService<StoreDialect>()), options.Store.PoolSize);
        services.AddSingleton(options.Store);
        services.AddSingleton<StoreRunner>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton(provider => new AuditPruner(provider.GetRequiredService<StoreRunner>(), provider.GetRequiredService<StoreDialect>(), provider.GetRequiredService<AuditTrail>()));
        services.AddSingleton<SessionStore>();
        services.AddSingleton<ISessionStore>(provider => new MeteredSessionStore(provider.GetRequiredService<SessionStore>(), provider.GetRequiredService<ILogger<MeteredSessionStore>>()));
        services.AddSingleton<ISessionCatalog, SessionCatalog>();
        services.AddSingleton<IOperatorStore, OperatorStore>();
        services.AddSingleton<IGatewayInstance, InstanceStore>();
        services.AddSingleton<ISessionHistory, SessionHistory>();
        services.AddSingleton<IReplicaBoard, ReplicaBoard>();
        services.AddSingleton<IAttachedStore>(provider => provider.GetRequiredService<SessionStore>());
        services.AddSingleton(provider => new StoreHealth(provider.GetRequiredService<StoreRunner>(), options.Store.DeadAfterSeconds));
        return services;
    }

    /// <summary>Failures reach the log once, from <see cref="StoreRunner"/>, and lost races not at all.</summary>
    private static void Configure(DbContextOptionsBuilder builder, StoreDialect dialect)
    {
        dialect.Configure(builder);
        builder.UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);
        builder.ConfigureWarnings(warnings => warnings.Log(
            (RelationalEventId.CommandError, LogLevel.Debug),
            (RelationalEventId.CommandExecuted, LogLevel.Debug),
            (RelationalEventId.ConnectionError, LogLevel.Debug),
            (RelationalEventId.TransactionError, LogLevel.Debug),
            (CoreEventId.SaveChangesFailed, LogLevel.Debug),
            (CoreEventId.QueryIterationFailed, LogLevel.Debug)));
    }
}
