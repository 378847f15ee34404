using System.Threading.Channels;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features;
using SparkGateway.Features.EndSession;
using SparkGateway.Features.Ports;
using SparkGateway.Features.SyncAttached;
using SparkGateway.Features.TendReplica;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Persistence;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Hosting;

/// <summary>
/// The loops beside the data plane. Before the first client: the sessions of dead replicas are ended, and the attached
/// drivers of the configuration are known.
/// </summary>
internal sealed partial class ControlPlane(
    ReplicaHeartbeat heartbeat,
    ActivityReporter activity,
    SessionFollower follower,
    DriverExitWatcher exits,
    AttachedSessions attached,
    ConfigWatcher configuration,
    IMediator mediator,
    TrackedTasks tasks,
    ILogger<ControlPlane> logger) : BackgroundService
{
    private readonly Channel<IReadOnlyList<AttachedDriver>> changes = Channel.CreateBounded<IReadOnlyList<AttachedDriver>>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var beat = await heartbeat.BeatAsync(cancellationToken);
        if (beat.Error is { } silent) throw new StartRefusedException(silent);
        var synced = await mediator.Send(new SyncAttached.Request(attached.Current), cancellationToken);
        if (synced.Error is { } unsynced) throw new StartRefusedException(unsynced);
        attached.Changed += list => changes.Writer.TryWrite(list);
        configuration.AttachedChanged += list => attached.Update(list);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Starts that are under way end before the platform goes, so that their sessions are not left in Starting.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await tasks.StopAsync();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            heartbeat.RunAsync(stoppingToken),
            Quietly(activity.RunAsync(stoppingToken), stoppingToken),
            Quietly(follower.RunAsync(stoppingToken), stoppingToken),
            Quietly(exits.RunAsync(stoppingToken), stoppingToken),
            Quietly(FollowAttachedAsync(stoppingToken), stoppingToken));

    private async Task FollowAttachedAsync(CancellationToken stopping)
    {
        await foreach (var list in changes.Reader.ReadAllAsync(stopping))
        {
            var synced = await mediator.Send(new SyncAttached.Request(list), stopping);
            if (synced.Error is { } error) NotSynced(logger, error.Text);
        }
    }

    private static async Task Quietly(Task loop, CancellationToken stopping)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end of every loop.
        }
    }

    [LoggerMessage(2040, LogLevel.Error, "The changed list of attached sessions did not reach the store: {Reason}")]
    private static partial void NotSynced(ILogger logger, string reason);
}

public static class ControlPlaneServices
{
    /// <summary>The loops and the checks before them. Needs AddFeatures, AddSessionStore, a platform, AddAttachedSessions, AddConfig.</summary>
    public static IServiceCollection AddControlPlane(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton<IStartCheck, StoreCheck>();
        services.AddSingleton<IStartCheck, TokenKeyCheck>();
        if (options.Platform == Session.LocalPlatform)
        {
            services.AddSingleton<IStartCheck, OneHostCheck>();
            services.AddSingleton<IStartCheck, EngineCheck>();
        }

        services.AddSingleton<IReadinessCheck, StoreReadiness>();
        services.AddHostedService<ControlPlane>();
        return services;
    }
}

/// <summary>The state folder is ours alone where SQLite or local drivers live in it, and the schema is the one this binary knows.</summary>
internal sealed class StoreCheck(Migrator migrator, GatewayOptions options) : IStartCheck, IDisposable
{
    private StateDirLock? held;

    public async Task<GatewayError?> CheckAsync(CancellationToken cancellation)
    {
        if (!StateDirLock.Acquire(options.StateDir).TryGet(out held, out var error)) return error;
        return (await migrator.PrepareToServeAsync(cancellation)).Error;
    }

    public void Dispose() => held?.Dispose();
}

/// <summary>Local drivers listen on the loopback of their gateway's host: replicas of other hosts would dial their own.</summary>
internal sealed class OneHostCheck(StoreHealth store, Replica self, GatewayOptions options) : IStartCheck
{
    public async Task<GatewayError?> CheckAsync(CancellationToken cancellation)
    {
        if (self.IsOnly || !options.SparkConnect.OnDemand.Enabled) return null;
        var other = await store.OtherHostAsync(self, cancellation);
        return other is { IsOk: true, Value: { } host }
            ? GatewayError.Invalid($"A gateway on host {host} uses the same store, and local drivers cannot be reached from another host: stop it, or set spark_connect.on_demand.enabled to false here and serve attached sessions only.")
            : null;
    }
}

internal sealed class TokenKeyCheck(DriverTokens tokens) : IStartCheck
{
    public Task<GatewayError?> CheckAsync(CancellationToken cancellation) => Task.FromResult(tokens.Verify());
}

/// <summary>Without any Spark the gateway still serves attached sessions, but not on-demand ones alone.</summary>
internal sealed class EngineCheck(SparkLocator locator, GatewayOptions options) : IStartCheck
{
    public Task<GatewayError?> CheckAsync(CancellationToken cancellation)
    {
        var isNeeded = options.SparkConnect is { Enabled: true, OnDemand.Enabled: true, Attached.Count: 0 };
        return Task.FromResult(isNeeded ? locator.Find().Error : null);
    }
}

internal sealed class StoreReadiness(StoreHealth store) : IReadinessCheck
{
    public string Name => "store";

    public bool IsShared => true;

    public async ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation)
    {
        var answer = await store.PingAsync(cancellation);
        return answer.Error is { } error ? ReadinessResult.NotReady(error.Text) : ReadinessResult.Ready();
    }
}
