using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>An HTTP client for the API server and what goes with each request.</summary>
internal sealed record KubeLink(HttpClient Client, Uri Root, KubeAccess Access);

/// <summary>The way to the API server as it is now: made at the first call, and anew when a file that it came from has changed.</summary>
internal sealed partial class KubeConnection(Func<CancellationToken, Task<Result<KubeAccess>>> load, KubeLimits limits, TimeProvider time, ILogger<KubeConnection> logger) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private volatile KubeLink? current;
    private string fingerprint = "";
    private long lookedAt;
    private volatile bool isSuspect;

    public void Dispose() => turn.Dispose();

    public async ValueTask<Result<KubeLink>> GetAsync(CancellationToken cancellation)
    {
        if (current is { } link && !isSuspect && time.GetElapsedTime(Volatile.Read(ref lookedAt)) < limits.CredentialPoll) return link;
        await turn.WaitAsync(cancellation);
        try
        {
            return await LookAsync(cancellation);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The API server refused the credential: before the next request it is got anew.</summary>
    public void Refuse(KubeLink link)
    {
        link.Access.Credential.Drop();
        isSuspect = true;
    }

    private async Task<Result<KubeLink>> LookAsync(CancellationToken cancellation)
    {
        // A client certificate of a command lives in the client itself, so a refusal needs a new one.
        var isRefused = isSuspect && current?.Access.Credential is CredentialCommand;
        isSuspect = false;
        if (current is { } link && !isRefused && Fingerprint(link.Access.Files) == fingerprint)
        {
            Volatile.Write(ref lookedAt, time.GetTimestamp());
            return link;
        }

        if (!(await load(cancellation)).TryGet(out var access, out var error)) return Kept(error);
        fingerprint = Fingerprint(access.Files);
        Volatile.Write(ref lookedAt, time.GetTimestamp());
        LogConnected(access.Configuration.Host, access.Origin);
        if (access.Configuration.SkipTlsVerify) LogUnverified(access.Configuration.Host);

        // The client before it is left to its open watches: they end by themselves, and its idle connections close.
        current = Link(access);
        return current;
    }

    /// <summary>A file in the middle of a change must not break what works.</summary>
    private Result<KubeLink> Kept(GatewayError error)
    {
        if (current is null) return error;
        LogKept(error.Text);
        Volatile.Write(ref lookedAt, time.GetTimestamp());
        return current;
    }

    private KubeLink Link(KubeAccess access)
    {
        var configuration = access.Configuration;
        var trusted = configuration.SslCaCerts;

        // KubernetesClient's own check of a private CA forgets the host name. Without certificates it leaves the check to the
        // platform, which trusts these roots alone and looks at the name.
        configuration.SslCaCerts = null;
        configuration.UserAgent = "spark-gateway";
        configuration.FirstMessageHandlerSetup = handler => SetUp(handler, trusted, access.Proxy);
        var client = new k8s.Kubernetes(configuration);
        return new KubeLink(client.HttpClient, client.BaseUri, access);
    }

    private void SetUp(SocketsHttpHandler handler, X509Certificate2Collection? trusted, Uri? proxy)
    {
        handler.KeepAlivePingDelay = TimeSpan.FromSeconds(limits.Options.PingSeconds);
        handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(limits.Options.PingTimeoutSeconds);
        handler.ConnectTimeout = TimeSpan.FromSeconds(limits.Options.ConnectSeconds);
        handler.AllowAutoRedirect = false;
        if (proxy is not null) handler.Proxy = new WebProxy(proxy);
        if (trusted is not null) handler.SslOptions.CertificateChainPolicy = TrustOnly(trusted);
    }

    private static X509ChainPolicy TrustOnly(X509Certificate2Collection roots)
    {
        // A cluster's own CA publishes no revocations.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    private static string Fingerprint(IReadOnlyList<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            try
            {
                hash.AppendData(File.ReadAllBytes(file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]);
            }
        }

        return Convert.ToHexString(hash.GetCurrentHash());
    }

    [LoggerMessage(3301, LogLevel.Information, "The Kubernetes API server is {Host}, by {Origin}")]
    private partial void LogConnected(string host, string origin);

    [LoggerMessage(3302, LogLevel.Warning, "The certificate of {Host} is not checked, because the kubeconfig says insecure-skip-tls-verify: whoever answers in its place gets the gateway's token. Put its CA into the kubeconfig instead")]
    private partial void LogUnverified(string host);

    [LoggerMessage(3303, LogLevel.Warning, "The way to the Kubernetes API server stays as it was: {Why}")]
    private partial void LogKept(string why);
}
