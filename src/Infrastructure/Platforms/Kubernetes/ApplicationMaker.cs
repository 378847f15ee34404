using System.Text.Json.Nodes;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>
/// Creates the application of a session and the Secret with its driver's token. May be repeated, by this replica or another:
/// the name is the session's alone, so whoever finds it taken by its own session goes on with what is there.
/// </summary>
internal sealed class ApplicationMaker(
    IKubeApi api,
    ClusterView cluster,
    ApplicationFinder finder,
    OwnInstance instance,
    IDriverTokens tokens,
    GatewayOptions options,
    TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="tell">Hears why it takes longer.</param>
    public async Task<Result<FoundApplication>> MakeAsync(DriverSpec spec, Profile profile, Action<string> tell, CancellationToken cancellation)
    {
        var self = await instance.ReadAsync(cancellation);
        if (!self.TryGet(out var id, out var unread)) return unread;
        var flavour = cluster.Flavours.Single(one => one.Name == profile.Flavour);
        var key = new ObjectKey(spec.Name.Namespace, spec.Name.Name);
        var token = tokens.ForOnDemand(spec.SessionId);
        var body = flavour.Build(new ApplicationSpec
        {
            Key = key,
            SessionId = spec.SessionId,
            Instance = id,
            Team = spec.Team,
            Environment = spec.Environment,
            User = spec.User,
            Profile = profile,
            DriverTimeout = LongestLife(spec),
            FinishedTtl = TimeSpan.FromSeconds(options.Kubernetes.FinishedTtlSeconds),
            TokenSecret = token is null ? null : key.Name,
        });
        var patience = new CreatePatience(options.Kubernetes.CreateGraceSeconds, tell, time);
        var made = await CreateAsync(flavour, key, spec, body, patience, cancellation);
        if (token is null || !made.TryGet(out var application, out _)) return made;

        var secret = await CreateSecretAsync(application, token, patience, cancellation);
        return secret is { } failed ? failed : made;
    }

    private async Task<Result<FoundApplication>> CreateAsync(IFlavour flavour, ObjectKey key, DriverSpec spec, JsonObject body, CreatePatience patience, CancellationToken cancellation)
    {
        while (true)
        {
            var create = await api.CreateAsync(flavour.Kind, body.DeepClone().AsObject(), dryRun: false, cancellation);
            if (create.TryGet(out var created, out var error)) return new FoundApplication(flavour, flavour.Parse(created));
            if (error.Failure is KubeFailure.AlreadyExists or KubeFailure.Unreachable)
            {
                // It may be there all the same: made by this call, or by another replica.
                var read = await api.GetAsync(flavour.Kind, key, cancellation);
                if (read is { IsOk: true, Value: { } there })
                {
                    var view = flavour.Parse(there);
                    return finder.IsOf(view, spec.SessionId)
                        ? new FoundApplication(flavour, view)
                        : new GatewayError(ErrorCode.StartFailed, Blame.Cluster, $"The name {key} is taken by another {flavour.Kind.Kind}, so the driver of this session could not be made. Call getOrCreate() to try again with a new name.");
                }

                error = read.Error ?? error;
            }

            if (patience.WhyGivenUp(error) is { } failed) return failed;
            await Task.Delay(Pause, time, cancellation);
        }
    }

    /// <summary>Null: it is there. The driver's container waits for it, and it goes with the application.</summary>
    private async Task<GatewayError?> CreateSecretAsync(FoundApplication application, string token, CreatePatience patience, CancellationToken cancellation)
    {
        var view = application.View;
        var labels = new JsonObject { [GatewayLabels.ManagedBy] = GatewayLabels.Manager, [GatewayLabels.Instance] = view.Instance, [GatewayLabels.Session] = view.SessionId.ToString() };
        var owner = new JsonObject { ["apiVersion"] = application.Flavour.Kind.ApiVersion, ["kind"] = application.Flavour.Kind.Kind, ["name"] = view.Key.Name, ["uid"] = view.Uid };
        var body = new JsonObject
        {
            ["apiVersion"] = ResourceKind.Secrets.ApiVersion,
            ["kind"] = ResourceKind.Secrets.Kind,
            ["metadata"] = new JsonObject { ["name"] = view.Key.Name, ["namespace"] = view.Key.Namespace, ["labels"] = labels, ["ownerReferences"] = new JsonArray(owner) },
            ["type"] = "Opaque",
            ["stringData"] = new JsonObject { [ApplicationSpec.TokenKey] = token },
        };
        while (true)
        {
            var create = await api.CreateAsync(ResourceKind.Secrets, body.DeepClone().AsObject(), dryRun: false, cancellation);
            if (create.Error is not { } error || error.Failure == KubeFailure.AlreadyExists) return null;
            if (patience.WhyGivenUp(error) is { } failed) return failed;
            await Task.Delay(Pause, time, cancellation);
        }
    }

    /// <summary>A driver that no gateway ends any more ends itself: after all that a session may live and an operator may add.</summary>
    private TimeSpan LongestLife(DriverSpec spec)
    {
        var connect = options.SparkConnect;
        var team = connect.OnDemand.Teams.Find(one => one.Team == spec.Team && one.Environment == spec.Environment);
        var hours = team is { MaxTtlHours: > 0 } ? team.MaxTtlHours : connect.MaxTtlHours;
        return TimeSpan.FromHours((double)hours + options.Admin.MaxExtensionHours) + TimeSpan.FromMinutes(options.Kubernetes.DriverTimeoutMarginMinutes);
    }
}
