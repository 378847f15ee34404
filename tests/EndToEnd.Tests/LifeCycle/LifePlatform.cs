using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>What is left of a session when its gateway was told to end and started again: here alone the platforms differ.</summary>
/// <param name="ClientReads">In its next answer.</param>
/// <param name="DriverOf">The driver of after, by the one of before; null: there is none.</param>
/// <param name="Life">Its audit by then.</param>
internal sealed record AfterRestart(string ClientReads, Func<string, string?> DriverOf, IReadOnlyList<string> Life);

/// <summary>Where drivers run, and how a test looks at them there; with a gateway for each engine that all scenarios of the platform share.</summary>
public abstract class LifePlatform : IAsyncDisposable
{
    internal const string EnvironmentName = "control";

    /// <summary>A team with the general limits, one whose sessions are idle soon, and one whose sessions are old soon.</summary>
    internal const string Team = "data";
    internal const string IdleTeam = "idle";
    internal const string BriefTeam = "brief";

    internal const int LingerSeconds = 2;

    /// <summary>Drivers take seconds to start and to end, and the machine may be loaded.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>12 seconds without a call, and 18 seconds in all: enough for a test to look at them on a loaded machine.</summary>
    private static readonly string[] Settings =
    [
        "spark_connect.on_demand.any_team=false", "spark_connect.on_demand.default_team=", "spark_connect.on_demand.default_environment=",
        $"spark_connect.on_demand.teams=[{Pair(Team)}, {Pair(IdleTeam, ", idle_timeout_minutes: 0.2")}, {Pair(BriefTeam, ", max_ttl_hours: 0.005")}]",
        "spark_connect.on_demand.share_connection=false", $"spark_connect.release_linger_seconds={LingerSeconds}", "spark_connect.expiry_interval_seconds=1",
        "spark_connect.expiry_hold_seconds=0", "spark_connect.busy_grace_seconds=1", "store.activity_seconds=1",
    ];

    private readonly Dictionary<string, GatewayProcess> gateways = [];

    internal abstract AfterRestart AfterRestart { get; }

    internal Task<GatewayProcess> SailAsync() => GatewayAsync("sail");

    internal Task<GatewayProcess> SparkAsync() => GatewayAsync("spark");

    /// <summary>What tells the session's driver from every other; null: it has none that runs.</summary>
    internal abstract Task<string?> DriverAsync(GatewayProcess gateway, ShownSession session);

    /// <summary>SIGKILL to the session's driver, as when its machine has no memory left.</summary>
    internal abstract Task KillDriverAsync(GatewayProcess gateway, ShownSession session);

    /// <summary>Nothing is there any more that was made for the session.</summary>
    internal abstract Task<bool> IsClearedAsync(GatewayProcess gateway, ShownSession session);

    internal static string Url(GatewayProcess gateway, string user, string team = Team, params string[] parameters) => Url(gateway.Port, user, team, parameters);

    internal static string Url(int port, string user, string team = Team, params string[] parameters) =>
        GatewayProcess.UrlOf(port, user, [$"x-doordash-team={team}", $"x-doordash-environment={EnvironmentName}", .. parameters]);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var gateway in gateways.Values)
        {
            await using (gateway) await EndAllAsync(gateway);
        }
    }

    internal abstract Task<GatewaySetup> SetupAsync(string engine, params string[] settings);

    private async Task<GatewayProcess> GatewayAsync(string engine)
    {
        if (!gateways.TryGetValue(engine, out var gateway))
        {
            gateway = await GatewayProcess.StartAsync(await SetupAsync(engine, Settings));
            gateways.Add(engine, gateway);
        }

        return gateway;
    }

    private static string Pair(string team, string limits = "") => $"{{team: {team}, environment: {EnvironmentName}{limits}}}";

    /// <summary>Drivers may outlive their gateway, and others use the place where they run.</summary>
    private async Task EndAllAsync(GatewayProcess gateway)
    {
        foreach (var session in await Shown.LiveAsync(gateway))
        {
            await gateway.SessionsAsync("close", session.SessionRowId);
            await Deadlines.UntilAsync($"the end of {session.SessionName}", () => IsClearedAsync(gateway, session), Limit);
        }
    }
}
