using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Kubernetes;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>Drivers as pods of a cluster, which live on without their gateway.</summary>
public sealed class KubernetesLife(SharedPlane shared) : LifePlatform
{
    private static readonly string[] Namespaces = [KubeScene.Namespace, $"sjns-{IdleTeam}-{EnvironmentName}", $"sjns-{BriefTeam}-{EnvironmentName}"];

    internal override AfterRestart AfterRestart { get; } = new("kept 7", before => before, ["open", "bind", "ready"]);

    internal override async Task<GatewaySetup> SetupAsync(string engine, params string[] settings)
    {
        var scene = await shared.SceneAsync();
        foreach (var space in Namespaces) await scene.Plane.KubectlAsync(Prepared(space), "apply", "-f", "-");
        return scene.Setup(engine == "sail" ? "sail:1" : "spark:4.2.0", [$"kubernetes.namespaces=[{string.Join(", ", Namespaces)}]", .. settings]);
    }

    /// <summary>A pod that runs at the session's address, with its application and its Secret.</summary>
    internal override async Task<string?> DriverAsync(GatewayProcess gateway, ShownSession session)
    {
        var scene = await shared.SceneAsync();
        var isComplete = await HasAsync(scene, "sparkapplications", session) && await HasAsync(scene, "secrets", session);
        var pods = await scene.ListAsync("pods", $"sparkoperator.k8s.io/app-name={session.SessionName}", session.Namespace);
        return isComplete ? pods.Where(pod => Runs(pod, session)).Select(pod => pod.GetProperty("metadata").GetProperty("uid").GetString()).SingleOrDefault() : null;
    }

    internal override async Task KillDriverAsync(GatewayProcess gateway, ShownSession session)
    {
        var scene = await shared.SceneAsync();
        var pod = KubeScene.NameOf(Assert.Single(await scene.ListAsync("pods", $"sparkoperator.k8s.io/app-name={session.SessionName}", session.Namespace)));
        Processes.Kill(Assert.Single(Processes.With("POD_NAME=", "java", "sail"), found => found.Value == pod).Pid);
    }

    internal override async Task<bool> IsClearedAsync(GatewayProcess gateway, ShownSession session) =>
        !await (await shared.SceneAsync()).ExistsAsync(session.SessionName, session.Namespace);

    /// <summary>A namespace with the account that drivers run under.</summary>
    private static string Prepared(string space) => $$$"""
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{{space}}}"}},
          {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark", "namespace": "{{{space}}}"}}]}
        """;

    private static async Task<bool> HasAsync(KubeScene scene, string kind, ShownSession session) =>
        (await scene.ListAsync(kind, space: session.Namespace)).Any(item => KubeScene.NameOf(item) == session.SessionName);

    private static bool Runs(JsonElement pod, ShownSession session)
    {
        var status = pod.GetProperty("status");
        return status.GetProperty("phase").GetString() == "Running" && !pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _)
            && session.Address == $"{status.GetProperty("podIP").GetString()}:15002";
    }
}
