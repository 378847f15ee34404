using SparkGateway.Domain.Routing;
using SparkGateway.Features;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Routing;

/// <summary>The part of the configuration that the use cases know, in their words.</summary>
public static class FeatureOptionsComposer
{
    /// <param name="publicAddress">HOST:PORT as clients reach the gateway; error texts show it.</param>
    public static FeatureOptions ForFeatures(this GatewayOptions options, Replica self, string publicAddress)
    {
        ArgumentNullException.ThrowIfNull(options);
        var connect = options.SparkConnect;
        var onDemand = connect.OnDemand;
        return new FeatureOptions
        {
            Self = self,
            Policy = new RoutingPolicy
            {
                Headers = new RoutingHeaderNames(connect.Headers.SessionName[0], connect.Headers.Namespace[0], connect.Headers.Team[0], connect.Headers.Environment[0]),
                PublicAddress = publicAddress,
                OnDemandEnabled = onDemand.Enabled,
                Default = onDemand.DefaultTeam.Length > 0 && onDemand.DefaultEnvironment.Length > 0 ? new TeamRef(onDemand.DefaultTeam, onDemand.DefaultEnvironment) : null,
                ShareConnection = onDemand.ShareConnection,
                Teams = [.. onDemand.Teams.Select(Pair)],
                AnyTeam = onDemand.AnyTeam,
                Authorities = connect.Authorities.ToDictionary(entry => entry.Key, entry => Pair(entry.Value)),
                NamespacePattern = connect.DefaultNamespacePattern,
            },
            Limits = new SessionLimits(onDemand.MaxSessions, onDemand.MaxPerUser),
            StartLimit = TimeSpan.FromSeconds(connect.StartLimitSeconds),
            StartGrace = TimeSpan.FromSeconds(connect.StartGraceSeconds),
            ReleaseLinger = TimeSpan.FromSeconds(connect.ReleaseLingerSeconds),
        };
    }

    private static TeamRef Pair(TeamRefOptions pair) => new(pair.Team, pair.Environment);
}
