using System.Text.Json;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>Kubeconfig files for a plane, below its own folder.</summary>
internal static class Kubeconfigs
{
    public static string WithToken(KubePlane plane, string token) => Write(plane, new Dictionary<string, object> { ["token"] = token });

    public static string Write(KubePlane plane, Dictionary<string, object> user, Action<Dictionary<string, object>>? changeCluster = null)
    {
        var cluster = new Dictionary<string, object> { ["server"] = plane.ApiServer.ToString(), ["certificate-authority"] = plane.CaFile };
        changeCluster?.Invoke(cluster);
        return Save(plane, $$$"""
            {"apiVersion": "v1", "kind": "Config", "current-context": "it",
             "clusters": [{"name": "a", "cluster": {{{JsonSerializer.Serialize(cluster)}}}}],
             "users": [{"name": "b", "user": {{{JsonSerializer.Serialize(user)}}}}],
             "contexts": [{"name": "it", "context": {"cluster": "a", "user": "b"}}]}
            """);
    }

    /// <summary>A file with this content, in a folder of its own.</summary>
    public static string Save(KubePlane plane, string content, string name = "config")
    {
        var folder = Directory.CreateDirectory(Path.Combine(plane.StateDir, "tests", Guid.NewGuid().ToString("N")));
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
