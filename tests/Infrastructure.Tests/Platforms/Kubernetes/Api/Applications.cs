using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>A small valid SparkApplication.</summary>
internal static class Applications
{
    public static readonly ResourceKind Kind = new("sparkoperator.k8s.io", "v1beta2", "sparkapplications", "SparkApplication");

    public static JsonObject Named(string inNamespace, string name, Action<JsonObject>? change = null)
    {
        var body = JsonNode.Parse("""
            {
              "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication",
              "metadata": {"labels": {"app.kubernetes.io/managed-by": "spark-gateway"}},
              "spec": {
                "type": "Python", "mode": "cluster", "sparkVersion": "4.1.0", "image": "spark", "mainApplicationFile": "local:///a.py",
                "driver": {"cores": 1}, "executor": {"instances": 1}, "restartPolicy": {"type": "Never"}
              }
            }
            """)!.AsObject();
        body["metadata"]!["namespace"] = inNamespace;
        body["metadata"]!["name"] = name;
        change?.Invoke(body);
        return body;
    }
}
