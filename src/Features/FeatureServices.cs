using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.EndSession;
using SparkGateway.Features.OpenSession;
using SparkGateway.Features.Pipeline;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Features.TendReplica;

namespace SparkGateway.Features;

/// <summary>The use cases. The ports, <see cref="FeatureOptions"/>, TimeProvider and logging are registered by others.</summary>
public static class FeatureServices
{
    public static IServiceCollection AddFeatures(this IServiceCollection services)
    {
        services.TryAddSingleton<TrackedTasks>();
        services.AddSingleton<StorePatience>();
        services.AddSingleton<LastWords>();
        services.AddSingleton<SessionEnder>();
        services.AddSingleton<ActivityFlusher>();
        services.AddSingleton<ExpireSessions.QueryGuard>();
        services.AddSingleton<Launcher>();
        services.AddSingleton<ISessionStarter, SessionStarter>();
        services.AddSingleton<SessionClaim>();
        services.AddSingleton<DenialAudit>();
        services.AddSingleton<DriverExitWatcher>();
        services.AddSingleton<ReplicaHeartbeat>();
        services.AddSingleton<ActivityReporter>();
        services.AddSingleton<SessionFollower>();
        return services.AddMediator().AddSlices().AddAdminSlices();
    }

    /// <summary>For platforms whose drivers outlive their replica, and that find drivers of others: needs IDriverInventory.</summary>
    public static IServiceCollection AddClusterSlices(this IServiceCollection services)
    {
        services.AddSingleton<IRequestHandler<ReconcileDrivers.ReconcileDrivers.Request, Result<ReconcileDrivers.ReconcileDrivers.Outcome>>, ReconcileDrivers.ReconcileDrivers.Handler>();
        services.AddSingleton<IRequestHandler<AttachFound.AttachFound.Request, Result<IReadOnlyList<Session>>>, AttachFound.AttachFound.Handler>();
        return services;
    }

    /// <summary>By hand: MediatR's own registration is a package for later versions, and this is all it would do.</summary>
    private static IServiceCollection AddMediator(this IServiceCollection services)
    {
        services.AddSingleton<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddSingleton<IMediator, Mediator>();
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(TelemetryBehavior<,>));
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        return services;
    }

    private static IServiceCollection AddSlices(this IServiceCollection services)
    {
        services.AddSingleton<IRequestHandler<RelayStream.RelayStream.Request, Result<Admission>>, RelayStream.RelayStream.Handler>();
        services.AddSingleton<IValidator<RelayStream.RelayStream.Request>, RelayStream.RelayStream.Validator>();
        services.AddSingleton<IRequestHandler<DenyCall.Request, Result<bool>>, DenyCall.Handler>();
        services.AddSingleton<IRequestHandler<ReleaseSession.ReleaseSession.Request, Result<int>>, ReleaseSession.ReleaseSession.Handler>();
        services.AddSingleton<IRequestHandler<BindClone.BindClone.Request, Result<LiveBinding>>, BindClone.BindClone.Handler>();
        services.AddSingleton<IValidator<BindClone.BindClone.Request>, BindClone.BindClone.Validator>();
        services.AddSingleton<IRequestHandler<EndSession.EndSession.Request, Result<Session?>>, EndSession.EndSession.Handler>();
        services.AddSingleton<IValidator<EndSession.EndSession.Request>, EndSession.EndSession.Validator>();
        services.AddSingleton<IRequestHandler<ExpireSessions.ExpireSessions.Request, Result<ExpireSessions.ExpireSessions.Outcome>>, ExpireSessions.ExpireSessions.Handler>();
        services.AddSingleton<IRequestHandler<SyncAttached.SyncAttached.Request, Result<IReadOnlyList<Session>>>, SyncAttached.SyncAttached.Handler>();
        return services;
    }
}
