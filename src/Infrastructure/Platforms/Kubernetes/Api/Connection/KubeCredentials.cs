using System.Net.Http.Headers;
using System.Text;
using k8s.Authentication;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>What proves to the API server who we are, beside a client certificate. KubernetesClient's own providers cannot be told that a token was refused.</summary>
internal interface IKubeCredential
{
    /// <returns>Null: none is sent.</returns>
    ValueTask<Result<AuthenticationHeaderValue?>> HeaderAsync(CancellationToken cancellation);

    /// <summary>The API server refused it: get it anew before the next use.</summary>
    void Drop();
}

/// <summary>A credential that stands in the configuration itself, or none.</summary>
internal sealed class FixedCredential(AuthenticationHeaderValue? header) : IKubeCredential
{
    public static FixedCredential Bearer(string token) => new(new AuthenticationHeaderValue("Bearer", token));

    public static FixedCredential Basic(string user, string password) =>
        new(new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))));

    public ValueTask<Result<AuthenticationHeaderValue?>> HeaderAsync(CancellationToken cancellation) => new(Result<AuthenticationHeaderValue?>.Ok(header));

    public void Drop()
    {
        // The connection looks at its files again, this one included.
    }
}

/// <summary>A token that somebody renews in a file, as the kubelet does. While the file cannot be read, the token before it is used.</summary>
internal sealed partial class TokenFile(string path, TimeSpan reread, TimeProvider time, ILogger logger) : IKubeCredential
{
    /// <summary>A hundred times a token.</summary>
    private const int MaxBytes = 1_048_576;

    private readonly Lock gate = new();
    private AuthenticationHeaderValue? known;
    private long readAt;
    private bool isDropped;

    public ValueTask<Result<AuthenticationHeaderValue?>> HeaderAsync(CancellationToken cancellation)
    {
        lock (gate)
        {
            if (known is not null && !isDropped && time.GetElapsedTime(readAt) < reread) return new(Result<AuthenticationHeaderValue?>.Ok(known));
            var why = Read_NeedsLock();
            if (why is null) return new(Result<AuthenticationHeaderValue?>.Ok(known));
            if (known is null) return new(Result<AuthenticationHeaderValue?>.Fail(GatewayError.Unavailable(Blame.Gateway, $"the token file '{path}' cannot be used: {why}.")));
            LogKept(path, why);
            return new(Result<AuthenticationHeaderValue?>.Ok(known));
        }
    }

    public void Drop()
    {
        lock (gate) isDropped = true;
    }

    private string? Read_NeedsLock()
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.CanSeek && stream.Length > MaxBytes) return "it is too large for a token";
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var token = reader.ReadToEnd().Trim();
            if (token.Length == 0) return "it is empty";
            if (token.Any(c => c is <= ' ' or > '~')) return "it holds more than one line of text";
            (known, readAt, isDropped) = (new AuthenticationHeaderValue("Bearer", token), time.GetTimestamp(), false);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    [LoggerMessage(3300, LogLevel.Warning, "The token before stays in use, because '{Path}' cannot be read: {Why}")]
    private partial void LogKept(string path, string why);
}

/// <summary>What KubernetesClient makes of a kubeconfig's identity provider.</summary>
internal sealed class ProviderCredential(ITokenProvider provider) : IKubeCredential
{
    public async ValueTask<Result<AuthenticationHeaderValue?>> HeaderAsync(CancellationToken cancellation)
    {
        try
        {
            return await provider.GetAuthenticationHeaderAsync(cancellation);
        }
        catch (HttpRequestException e)
        {
            return GatewayError.Unavailable(Blame.Gateway, $"the kubeconfig's identity provider gives no token: {e.Message}.");
        }
    }

    public void Drop()
    {
        // It renews its token by the token's own expiry.
    }
}
