using System.Security.Cryptography.X509Certificates;
using k8s;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>Finds the way to the API server: the cluster proxy, the kubeconfig that was named, the pod's service account, the user's kubeconfig; the first that is set.</summary>
internal sealed class AccessSource(GatewayOptions options, AccessEnvironment environment, TimeProvider time, ILogger<AccessSource> logger)
{
    private readonly KubeLimits limits = new(options.Kubernetes);

    public async Task<Result<KubeAccess>> LoadAsync(CancellationToken cancellation)
    {
        var own = options.Kubernetes;
        if (options.ClusterProxyUrl.Length > 0) return ViaProxy();
        if (own.Kubeconfig.Length > 0) return await FromFilesAsync([own.Kubeconfig], cancellation);
        if (environment.Variable("KUBERNETES_SERVICE_HOST") is { Length: > 0 } host && File.Exists(environment.InServiceAccount("token"))) return InCluster(host);
        if (environment.Variable("KUBECONFIG") is { Length: > 0 } list) return await FromFilesAsync(list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries), cancellation);
        return await FromFilesAsync([Path.Combine(environment.Variable("HOME") ?? "/", ".kube", "config")], cancellation);
    }

    private Task<Result<KubeAccess>> FromFilesAsync(IReadOnlyList<string> paths, CancellationToken cancellation) =>
        new Kubeconfig(limits, time, logger).LoadAsync(paths, options.Kubernetes.Context, cancellation);

    private Result<KubeAccess> InCluster(string host)
    {
        var address = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        var port = environment.Variable("KUBERNETES_SERVICE_PORT") is { Length: > 0 } set ? set : "443";
        var token = new TokenFile(environment.InServiceAccount("token"), limits.CredentialPoll, time, logger);
        return Of("the pod's service account", $"https://{address}:{port}", token, environment.InServiceAccount("ca.crt"));
    }

    private Result<KubeAccess> ViaProxy()
    {
        IKubeCredential credential = options.Kubernetes.ProxyTokenFile.Length == 0
            ? new FixedCredential(null)
            : new TokenFile(options.Kubernetes.ProxyTokenFile, limits.CredentialPoll, time, logger);
        return Of("cluster_proxy_url", options.ClusterProxyUrl, credential, options.Kubernetes.ProxyCaFile);
    }

    private static Result<KubeAccess> Of(string origin, string url, IKubeCredential credential, string caFile)
    {
        var configuration = new KubernetesClientConfiguration { Host = url };
        if (caFile.Length == 0) return new KubeAccess(origin, configuration, credential);
        try
        {
            configuration.SslCaCerts = [];
            configuration.SslCaCerts.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            return Refuse(e.Message);
        }

        // An empty list would trust nobody, and the error would blame the server.
        return configuration.SslCaCerts.Count == 0
            ? Refuse("it holds no certificate")
            : new KubeAccess(origin, configuration, credential) { Files = [caFile] };

        GatewayError Refuse(string why) => GatewayError.Unavailable(Blame.Gateway, $"the CA file '{caFile}' cannot be used: {why}.");
    }
}

/// <summary>What the machine says about where the gateway runs.</summary>
internal sealed record AccessEnvironment(Func<string, string?> Variable, string ServiceAccountFolder)
{
    public static AccessEnvironment OfThisProcess { get; } = new(Environment.GetEnvironmentVariable, "/var/run/secrets/kubernetes.io/serviceaccount");

    public string InServiceAccount(string file) => Path.Combine(ServiceAccountFolder, file);
}
