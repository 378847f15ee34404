using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using SparkGateway.EndToEnd.Tests.Replicas;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Gateways for one cluster over one PostgreSQL, each with a proxy of its own before the API server.</summary>
internal sealed class KubeReplicas : IAsyncDisposable
{
    private readonly KubeScene cluster;
    private readonly PostgresDatabase database;
    private readonly Marker files = new();
    private readonly List<ApiServerProxy> proxies = [];
    private readonly List<GatewayProcess> gateways = [];
    private string mark = "";

    private KubeReplicas(KubeScene cluster, PostgresDatabase database)
    {
        (this.cluster, this.database) = (cluster, database);
        Ledger = new Ledger(database.ConnectionString, () => []);
    }

    public IReadOnlyList<GatewayProcess> Gateways => gateways;

    public IReadOnlyList<ApiServerProxy> Proxies => proxies;

    public Ledger Ledger { get; }

    public string ConnectionString => database.ConnectionString;

    /// <param name="fault">What the node does to the drivers' pods.</param>
    public static async Task<KubeReplicas> StartAsync(KubeScene cluster, int count, string fault = "", params string[] settings)
    {
        var replicas = new KubeReplicas(cluster, await PostgresServer.NewDatabaseAsync());
        try
        {
            await replicas.StartAsync(count, fault, settings);
            return replicas;
        }
        catch
        {
            await replicas.DisposeAsync();
            throw;
        }
    }

    /// <summary>Objects of these kinds that bear this gateway's mark.</summary>
    public Task<IReadOnlyList<JsonElement>> ListAsync(string kinds) => cluster.ListAsync(kinds, mark);

    /// <summary>How many objects of that kind the API server has made for any of them.</summary>
    public int Made(string resource) => proxies.Sum(proxy => proxy.Made(resource));

    public async ValueTask DisposeAsync()
    {
        // One that stands still would not hear of its end.
        foreach (var gateway in gateways) gateway.Process.Signal("CONT");
        await Task.WhenAll(gateways.Select(async gateway => await gateway.DisposeAsync()));
        foreach (var proxy in proxies) await proxy.DisposeAsync();

        // Drivers outlive their gateway, and the next test wants its share of the machine.
        if (mark.Length > 0) await cluster.Plane.KubectlAsync("", "delete", "sparkapplications", "-n", KubeScene.Namespace, "-l", mark, "--wait=false");
        await database.DisposeAsync();
        files.Dispose();
    }

    private async Task StartAsync(int count, string fault, string[] settings)
    {
        await File.WriteAllTextAsync(files.Path("store"), database.ConnectionString);
        await File.WriteAllTextAsync(files.Path("key"), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(files.Path("key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string[] store = ["store.kind=postgres", $"store.connection_string_file={files.Path("store")}"];
        await Migration.RunAsync(store);
        mark = $"spark-gateway/instance={await InstanceAsync()}";
        var setup = cluster.Setup("sail:1", [.. store, $"driver_token_key_file={files.Path("key")}", "spark_connect.on_demand.share_connection=false", .. settings]);
        while (proxies.Count < count) proxies.Add(await ApiServerProxy.StartAsync(cluster.Plane));
        gateways.AddRange(await Task.WhenAll(proxies.Select(proxy => GatewayProcess.StartAsync(setup with { Config = cluster.Config("sail:1", fault, proxy.Kubeconfig) }))));
        foreach (var gateway in gateways) await KubeScene.SyncedAsync(gateway);
    }

    private async Task<object?> InstanceAsync()
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT instance_id FROM gateway_instance", connection);
        return await command.ExecuteScalarAsync();
    }
}
