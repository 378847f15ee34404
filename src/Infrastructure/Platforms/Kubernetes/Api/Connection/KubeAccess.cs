using k8s;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>How the API server is reached: what a connection is made from.</summary>
/// <param name="Origin">Where it was found, for the log.</param>
/// <param name="Configuration">Host, trust and client certificate, as KubernetesClient resolved them; its token is not used.</param>
internal sealed record KubeAccess(string Origin, KubernetesClientConfiguration Configuration, IKubeCredential Credential)
{
    /// <summary>An HTTP proxy on the way.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Headers of each request: whom to act as.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The files it was read from. When one of them changes, the connection is made anew.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];
}
