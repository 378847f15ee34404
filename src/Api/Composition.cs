using SparkGateway.Api.Admin;
using SparkGateway.Api.Cli;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Persistence;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Local;
using SparkGateway.Infrastructure.Platforms.SparkUi;
using SparkGateway.Infrastructure.Relay;
using SparkGateway.Infrastructure.Routing;
using SparkGateway.Infrastructure.Scheduling;
using SparkGateway.Infrastructure.Security;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Api;

/// <summary>Which rooms the gateway is made of: one line for each. Options, TimeProvider, ConfigWatcher and SparkConnectListener are registered.</summary>
internal static class Composition
{
    public static IServiceCollection AddGateway(this IServiceCollection services, GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services
            .AddSingleton(provider => Compose(options, provider.GetRequiredService<Replica>()))
            .AddFeatures()
            .AddRouteTable()
            .AddSessionStore(options)
            .AddAttachedSessions()
            .AddControlPlane(options)
            .AddDriverActivity()
            .AddPlatform(options)
            .AddPlatformMetrics()
            .AddScheduling(options)
            .AddAdminTokens()
            .AddAdminApi()
            .AddRelay(options);
    }

    private static IServiceCollection AddPlatform(this IServiceCollection services, GatewayOptions options) =>
        options.Platform == Session.LocalPlatform ? services.AddLocalPlatform() : services.AddKubernetesPlatform(options);

    public static IMigrationCommand CreateMigration(GatewayOptions options) => new MigrationCommand(options);

    public static IAuditCommand CreateAudit(GatewayOptions options) => new AuditCommand(options);

    private static FeatureOptions Compose(GatewayOptions options, Replica self)
    {
        var connect = options.SparkConnect;
        return new FeatureOptions
        {
            Self = self,
            Policy = PolicyOf(connect),
            Limits = new SessionLimits(connect.OnDemand.MaxSessions, connect.OnDemand.MaxPerUser),
            StartLimit = TimeSpan.FromSeconds(connect.StartLimitSeconds),
            StartGrace = TimeSpan.FromSeconds(connect.StartGraceSeconds),
            PageItems = options.Admin.MaxPageItems,
            MaxExtensionHours = options.Admin.MaxExtensionHours,
            Expiry = ExpiryOf(connect),
            ExpiryHold = TimeSpan.FromSeconds(connect.ExpiryHoldSeconds),
            ProtectRunningQueries = connect.ProtectRunningQueries,
            BusyGrace = TimeSpan.FromSeconds(connect.BusyGraceSeconds),
            EndingGrace = TimeSpan.FromSeconds(connect.EndingGraceSeconds),
            TtlNotice = TimeSpan.FromMinutes(connect.MaxTtlNoticeMinutes),
            TombstoneAge = TimeSpan.FromHours(connect.TombstoneHours),
            HeartbeatEvery = TimeSpan.FromSeconds(options.Store.HeartbeatSeconds),
            LaunchRenewEvery = TimeSpan.FromSeconds(options.Store.LaunchLeaseSeconds) / 3,
            ActivityEvery = TimeSpan.FromSeconds(options.Store.ActivitySeconds),
            FollowEvery = TimeSpan.FromSeconds(options.Store.FollowSeconds),
            OrphanGrace = TimeSpan.FromSeconds(options.Kubernetes.OrphanGraceSeconds),
            StoreAttempts = options.Store.RetryAttempts,
            StoreRetryEvery = TimeSpan.FromSeconds(options.Store.RetrySeconds),
        };
    }

    private static ExpiryPolicy ExpiryOf(SparkConnectOptions connect)
    {
        return new ExpiryPolicy
        {
            Limits = Limits(connect.IdleTimeoutMinutes, connect.MaxTtlHours),
            ReleaseLinger = TimeSpan.FromSeconds(connect.ReleaseLingerSeconds),
            Teams = connect.OnDemand.Teams
                .Where(team => team.IdleTimeoutMinutes > 0 || team.MaxTtlHours > 0)
                .ToDictionary(team => new TeamRef(team.Team, team.Environment), team => Limits(
                    team.IdleTimeoutMinutes > 0 ? team.IdleTimeoutMinutes : connect.IdleTimeoutMinutes,
                    team.MaxTtlHours > 0 ? team.MaxTtlHours : connect.MaxTtlHours)),
        };

        static ExpiryLimits Limits(decimal idleMinutes, decimal ttlHours) => new(TimeSpan.FromMinutes((double)idleMinutes), TimeSpan.FromHours((double)ttlHours));
    }

    private static RoutingPolicy PolicyOf(SparkConnectOptions connect) => new()
    {
        Headers = new RoutingHeaderNames(connect.Headers.SessionName[0], connect.Headers.Namespace[0], connect.Headers.Team[0], connect.Headers.Environment[0]),
        PublicAddress = connect.PublicAddress.Length > 0 ? connect.PublicAddress : $"HOST:{connect.Port}",
        OnDemandEnabled = connect.OnDemand.Enabled,
        Default = connect.OnDemand is { DefaultTeam.Length: > 0, DefaultEnvironment.Length: > 0 } ? new TeamRef(connect.OnDemand.DefaultTeam, connect.OnDemand.DefaultEnvironment) : null,
        ShareConnection = connect.OnDemand.ShareConnection,
        AnyTeam = connect.OnDemand.AnyTeam,
        Teams = [.. connect.OnDemand.Teams.Select(team => new TeamRef(team.Team, team.Environment))],
        Authorities = connect.Authorities.ToDictionary(pair => pair.Key, pair => new TeamRef(pair.Value.Team, pair.Value.Environment)),
        NamespacePattern = connect.DefaultNamespacePattern,
    };

    private sealed class AuditCommand(GatewayOptions options) : IAuditCommand
    {
        public async Task<Result<AuditPruneReport>> PruneAsync(TimeSpan age, string? actor, int batchRows, CancellationToken cancellation)
        {
            await using var services = new ServiceCollection().AddSessionStore(options).BuildServiceProvider();
            var schema = await services.GetRequiredService<Migrator>().CheckAsync(cancellation);
            if (!schema.TryGet(out var state, out var error)) return error;
            if (state != SchemaState.Current) return GatewayError.Invalid("The schema of the store is not the one of this spark-gateway; run `spark-gateway migrate --config FILE` of the newer one first.");

            // To count ten million rows takes longer than any statement of `serve` may.
            options.Store.StatementTimeoutSeconds = AuditPruner.StatementSeconds;
            var pruner = services.GetRequiredService<AuditPruner>();
            return actor is null ? await pruner.CountAsync(age, cancellation) : await pruner.PruneAsync(age, actor, batchRows, cancellation);
        }
    }

    private sealed class MigrationCommand(GatewayOptions options) : IMigrationCommand
    {
        public string Script() => Migrator.Script(options.Store.Kind == "sqlite" ? StoreKind.Sqlite : StoreKind.Postgres);

        public async Task<Result<string>> RunAsync(CancellationToken cancellation)
        {
            using var logs = LoggerFactory.Create(_ => { });
            var migrator = new Migrator(options, TimeProvider.System, logs.CreateLogger<Migrator>());
            if (!(await migrator.MigrateAsync(cancellation)).TryGet(out var report, out var error)) return error;
            var done = report.Applied.Count == 0 ? "is current" : $"migrated: {string.Join(", ", report.Applied)}";
            return string.Join('\n', [$"{report.Store} {done}", .. report.Notes]);
        }
    }
}
