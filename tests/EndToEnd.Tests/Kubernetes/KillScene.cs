using System.Text.Json;
using SparkGateway.Domain.Sessions;
using SparkGateway.EndToEnd.Tests.Replicas;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Who goes on when a gateway was killed.</summary>
public enum Heir
{
    /// <summary>The same program, started again on its state folder.</summary>
    Restarted,

    /// <summary>Another one on the same store. It stands still until the first is dead, so that it cannot be there before.</summary>
    Replica,
}

/// <summary>A gateway to be killed in the middle of something, one client of it, and its heir.</summary>
internal sealed class KillScene : IAsyncDisposable
{
    private readonly KubeReplicas replicas;
    private readonly Heir heir;
    private readonly TcpBalancer balancer;

    private KillScene(KubeReplicas replicas, Heir heir)
    {
        (this.replicas, this.heir) = (replicas, heir);
        if (heir == Heir.Replica) replicas.Gateways[1].Process.Signal("STOP");
        balancer = TcpBalancer.StartInOrder([.. replicas.Gateways.Select(gateway => gateway.Port)]);
        Ledger.Knows(Client);
    }

    public Ledger Ledger => replicas.Ledger;

    public ClientSessionKey Client { get; } = new("kay", Guid.NewGuid().ToString());

    public string Url => GatewayProcess.UrlOf(balancer.Port, Client.UserId, [.. KubeScene.Team, $"session_id={Client.ClientSessionId}"]);

    /// <summary>The one to kill.</summary>
    public GatewayProcess First => replicas.Gateways[0];

    /// <summary>What stands before the API server for it.</summary>
    public ApiServerProxy Proxy => replicas.Proxies[0];

    /// <param name="fault">What the node does to the driver's pod.</param>
    public static async Task<KillScene> StartAsync(KubeScene cluster, Heir heir, string fault = "") => new(
        await KubeReplicas.StartAsync(cluster, heir == Heir.Replica ? 2 : 1, fault, [.. KubeScene.Quick, "store.follow_seconds=1", "spark_connect.ending_grace_seconds=2"]), heir);

    /// <summary>SIGKILL, until its connections are gone; the row of the session must be as far as that.</summary>
    public async Task KillAsync(string state)
    {
        First.Kill();
        await First.Process.ExitAsync();
        Assert.Equal(state, Assert.Single(await Ledger.SessionsAsync()).State);
    }

    public async Task GoOnAsync()
    {
        if (heir == Heir.Restarted) await First.StartAgainAsync();
        else replicas.Gateways[1].Process.Signal("CONT");
    }

    public Task<RowLock> LockRowsAsync() => RowLock.TakeAsync(replicas.ConnectionString);

    /// <summary>Whatever bears this gateway's mark: the kind and the session of each.</summary>
    public async Task<IReadOnlyList<(string Kind, string Session)>> OursAsync() =>
        [.. (await replicas.ListAsync("sparkapplications,pods,secrets")).Select(item => (item.GetProperty("kind").GetString()!, item.GetProperty("metadata").GetProperty("labels").GetProperty("spark-gateway/session").GetString()!))];

    /// <summary>How many objects of that kind were ever made.</summary>
    public int Made(string resource) => replicas.Made(resource);

    public Task PodAsync(string what, Func<JsonElement, bool> fits) => Deadlines.UntilAsync($"a pod {what}", async () => (await replicas.ListAsync("pods")).Any(fits), KubeScene.Limit);

    public static string PhaseOf(JsonElement pod) => pod.GetProperty("status").GetProperty("phase").GetString()!;

    public static bool IsGoing(JsonElement pod) => pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _);

    public static bool IsReady(JsonElement pod) => pod.GetProperty("status").TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(one => one.GetProperty("type").GetString() == "Ready" && one.GetProperty("status").GetString() == "True");

    public async ValueTask DisposeAsync()
    {
        await balancer.DisposeAsync();
        await replicas.DisposeAsync();
    }
}
