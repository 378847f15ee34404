using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>A driver or a whole replica is killed under stock clients in mid-query, who are spread over all replicas.</summary>
[Collection(nameof(Alone))]
public sealed class DeathTests
{
    private static readonly GatewaySetup Setup = new() { StartsDrivers = true, Settings = [.. ReplicaScene.QuickJudges, "local.driver_memory=512m"] };

    [Fact]
    public async Task DriverKilled_ItsClientsReadWhyOnEveryReplica_AndOthersGoOn()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var scene = await ReplicaScene.StartAsync(Setup, database.ConnectionString);
        await using var crew = await Crew.StartAsync(scene);
        var victim = await scene.Ledger.SessionOfAsync(crew.KeyOf(0));

        Processes.Kill(Assert.Single(scene.Ledger.Drivers()[victim.Name]));

        for (var replica = 0; replica < ReplicaScene.Count; replica++)
        {
            var told = await crew.ToldAsync(0, replica);
            Assert.Contains("[INVALID_HANDLE.SESSION_CHANGED]", told, StringComparison.Ordinal);
            Assert.Contains("its driver ended by itself (it was killed (signal 9)", told, StringComparison.Ordinal);
        }

        Assert.Equal("crashed", (await scene.Ledger.EndedAsync(crew.KeyOf(0))).EndReason);
        await GoesOnAsync(scene, crew);
    }

    [Fact]
    public async Task ReplicaKilled_ItsSessionsAreLost_AndOthersGoOnThroughTheRest()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var scene = await ReplicaScene.StartAsync(Setup, database.ConnectionString);
        await using var crew = await Crew.StartAsync(scene);

        await scene.KillAsync(0);

        for (var replica = 0; replica < ReplicaScene.Count; replica++)
        {
            var told = await crew.ToldAsync(0, replica);
            Assert.Contains("[INVALID_HANDLE.SESSION_CHANGED]", told, StringComparison.Ordinal);
            Assert.Contains("the gateway process that ran its driver is gone", told, StringComparison.Ordinal);
        }

        Assert.Equal("lost", (await scene.Ledger.EndedAsync(crew.KeyOf(0))).EndReason);
        await GoesOnAsync(scene, crew);
    }

    /// <summary>The opener of the session that ended has a new one; the other session has lost nothing, through whichever replica.</summary>
    private static async Task GoesOnAsync(ReplicaScene scene, Crew crew)
    {
        await crew.AgainAsync(0);
        for (var replica = 0; replica < ReplicaScene.Count; replica++) await crew.AnswersAsync(1, replica, 2);
        crew.Untouched(1);
        await crew.EndAsync();
        await scene.Ledger.SettledAsync();
        await scene.EndAsync();
    }
}
