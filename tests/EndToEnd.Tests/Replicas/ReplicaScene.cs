using System.Security.Cryptography;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>Three gateways over one PostgreSQL, and a balancer of connections before them.</summary>
internal sealed class ReplicaScene : IAsyncDisposable
{
    public const int Count = 3;

    /// <summary>A dead replica is found out within seconds, and a live one is none after a pause of a loaded machine.</summary>
    public static readonly string[] QuickJudges = ["store.heartbeat_seconds=1", "store.dead_after_seconds=10", "store.follow_seconds=1", "spark_connect.ending_grace_seconds=2"];

    /// <summary>Room for all sessions of a test on any one replica.</summary>
    private static readonly string[] Room = ["local.max_drivers=400", "spark_connect.on_demand.max_sessions=1000", "spark_connect.on_demand.max_per_user=1000"];

    private readonly Marker files = new();
    private readonly List<TcpBalancer> balancers = [];
    private readonly GatewayProcess?[] replicas = new GatewayProcess?[Count];

    private ReplicaScene(string connectionString) =>
        Ledger = new Ledger(connectionString, () => replicas.Where(replica => replica is not null).Select(replica => replica!.StateDir));

    public Ledger Ledger { get; }

    public IReadOnlyList<GatewayProcess> Replicas => [.. replicas.Select(replica => replica!)];

    /// <summary>Of the balancer that hands out connections in turn.</summary>
    public int Port { get; private set; }

    /// <param name="ledger">A connection string of the database for the test itself.</param>
    /// <param name="store">The one that the replicas use; null: the same.</param>
    /// <param name="variables">More variables for each replica, by its number.</param>
    public static async Task<ReplicaScene> StartAsync(GatewaySetup setup, string ledger, string? store = null, Func<int, IReadOnlyList<(string, string?)>>? variables = null)
    {
        var scene = new ReplicaScene(ledger);
        try
        {
            await scene.StartAsync(setup, store ?? ledger, variables ?? (_ => []));
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>The port of a balancer that takes that replica as long as it listens, and then the next.</summary>
    public int PortOf(int replica)
    {
        var balancer = TcpBalancer.StartInOrder([.. Enumerable.Range(replica, Count).Select(number => Replicas[number % Count].Port)]);
        balancers.Add(balancer);
        return balancer.Port;
    }

    /// <summary>SIGKILL, until nothing listens there any more.</summary>
    public async Task KillAsync(int replica)
    {
        Replicas[replica].Kill();
        await Replicas[replica].Process.ExitAsync();
    }

    /// <summary>SIGTERM for all at once; nothing of theirs may stay.</summary>
    public async Task EndAsync()
    {
        foreach (var replica in Replicas) replica.Process.Signal("TERM");
        await Ledger.ClearedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in replicas) replica?.Process?.Signal("TERM");
        foreach (var balancer in balancers) await balancer.DisposeAsync();
        foreach (var replica in replicas.Where(replica => replica is not null)) await replica!.DisposeAsync();
        files.Dispose();
    }

    private async Task StartAsync(GatewaySetup setup, string store, Func<int, IReadOnlyList<(string, string?)>> variables)
    {
        await File.WriteAllTextAsync(files.Path("store"), store);
        await File.WriteAllTextAsync(files.Path("key"), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(files.Path("key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string[] settings = ["store.kind=postgres", $"store.connection_string_file={files.Path("store")}"];
        await Migration.RunAsync(settings);

        await Task.WhenAll(Enumerable.Range(0, Count).Select(async number => replicas[number] = await GatewayProcess.StartAsync(setup with
        {
            Variables = variables(number),
            Settings = [.. settings, $"driver_token_key_file={files.Path("key")}", "spark_connect.on_demand.share_connection=false", "spark_connect.drain_seconds=1", .. Room, .. setup.Settings],
        })));
        var balancer = TcpBalancer.Start([.. Replicas.Select(replica => replica.Port)]);
        balancers.Add(balancer);
        Port = balancer.Port;
    }
}
