using System.Globalization;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>Many sessions that open in the same moment, over three replicas.</summary>
[Collection(nameof(Alone))]
public sealed class CrowdTests(ITestOutputHelper output)
{
    private const int Sessions = 200;

    /// <summary>So many of them open through all three replicas at once.</summary>
    private const int Contested = 20;

    [Fact]
    public async Task TwoHundredSessions_AtOnceOverThreeReplicas_AreTwoHundredDrivers()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        await using var engine = TellingEngine.Create();
        await using var scene = await ReplicaScene.StartAsync(engine.Setup, database.ConnectionString);
        var clients = new List<RawSession>();
        for (var number = 0; number < Sessions - Contested; number++) clients.Add(await RawSession.ConnectAsync(scene.Ledger, scene.Port, $"user-{number % 50}"));
        for (var number = 0; number < Contested; number++)
        {
            var id = Guid.NewGuid().ToString();
            foreach (var replica in scene.Replicas) clients.Add(await RawSession.ConnectAsync(scene.Ledger, replica.Port, "contested", id));
        }

        var began = TimeProvider.System.GetTimestamp();
        var again = await Task.WhenAll(clients.Select(client => client.PatientlyServedAsync()));
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Sessions} sessions in {seconds:0.0} s: {Sessions / seconds:0.0} opens per second; {again.Sum()} calls were UNAVAILABLE and asked again."));
        await scene.Ledger.SettledAsync();
        var sessions = await scene.Ledger.SessionsAsync();
        Assert.Equal(Sessions, sessions.Count);
        Assert.Equal(Sessions, scene.Ledger.Drivers().Count);
        Assert.Equal(ReplicaScene.Count, sessions.Select(line => line.Owner).Distinct().Count());

        await Task.WhenAll(clients.Select(client => client.ServedAsync()));
        await scene.Ledger.SettledAsync();
        await scene.EndAsync();
        foreach (var client in clients) await client.DisposeAsync();
    }
}
