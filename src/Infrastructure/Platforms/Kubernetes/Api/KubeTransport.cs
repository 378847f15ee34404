using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <param name="Path">Below the API server's root, with its query.</param>
/// <param name="MayRepeat">Doing it twice does no more than doing it once.</param>
internal sealed record KubeRequest(HttpMethod Method, string Path, KubeSubject Subject, bool MayRepeat)
{
    public JsonNode? Body { get; init; }

    public string ContentType { get; init; } = "application/json";
}

/// <summary>Sends requests: in turn, with the credential of the moment, within their time, and again where that is safe.</summary>
internal sealed partial class KubeTransport(KubeConnection connection, KubeLimits limits, TimeProvider time, ILogger<KubeTransport> logger)
{
    private readonly CallRate rate = new(limits.Options.RequestsPerSecond, limits.Options.RequestBurst, limits.RequestTimeout, time);

    /// <summary>Sends a request and reads its answer with <paramref name="read"/>, again where that is safe.</summary>
    public async Task<KubeResult<T>> SendAsync<T>(KubeRequest request, Func<Stream, CancellationToken, Task<KubeResult<T>>> read, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(limits.CallLimit, time);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        var backoff = new Backoff(limits, time);
        var begun = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            var result = await TryAsync(request, read, bound.Token);
            cancellation.ThrowIfCancellationRequested();
            if (result.IsOk || attempt >= limits.Options.RetryAttempts || !MayRepeat(request, result.Error!)) return result;
            var wait = backoff.Next(result.Error!.RetryAfter);
            if (time.GetElapsedTime(begun) + wait >= limits.CallLimit) return result;
            LogRepeated(request.Subject, result.Error, wait.TotalSeconds);
            await Task.Delay(wait, time, cancellation);
        }
    }

    /// <summary>Opens a stream without an end: a watch. Its answer is for the caller to read and to dispose of.</summary>
    public async Task<KubeResult<HttpResponseMessage>> OpenAsync(KubeRequest request, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(limits.RequestTimeout, time);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        var result = await AnswerAsync(request, bound.Token);
        cancellation.ThrowIfCancellationRequested();
        return result;
    }

    private async Task<KubeResult<T>> TryAsync<T>(KubeRequest request, Func<Stream, CancellationToken, Task<KubeResult<T>>> read, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(limits.RequestTimeout, time);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            if (!(await AnswerAsync(request, bound.Token)).TryGet(out var response, out var error)) return error;
            using (response)
            {
                await using var body = await response.Content.ReadAsStreamAsync(bound.Token);
                return await read(body, bound.Token);
            }
        }
        catch (Exception e) when (WhyBroken(e) is { } why)
        {
            return KubeErrors.Unreachable(why, request.Subject);
        }
    }

    /// <summary>An answer of success; its body is still to come.</summary>
    private async Task<KubeResult<HttpResponseMessage>> AnswerAsync(KubeRequest request, CancellationToken cancellation)
    {
        try
        {
            if (!await rate.TakeAsync(cancellation)) return KubeErrors.Crowded(request.Subject);
            var result = await AnswerOnceAsync(request, cancellation);

            // A token that was renewed a moment ago is the rule, one that was taken away the exception.
            return result.Is(KubeFailure.Unauthorized) ? await AnswerOnceAsync(request, cancellation) : result;
        }
        catch (Exception e) when (WhyBroken(e) is { } why)
        {
            return KubeErrors.Unreachable(why, request.Subject);
        }
    }

    private async Task<KubeResult<HttpResponseMessage>> AnswerOnceAsync(KubeRequest request, CancellationToken cancellation)
    {
        if (!(await connection.GetAsync(cancellation)).TryGet(out var link, out var unknown)) return KubeErrors.NoCredential(unknown.Text);
        if (!(await link.Access.Credential.HeaderAsync(cancellation)).TryGet(out var header, out var missing)) return KubeErrors.NoCredential(missing.Text);

        using var message = Message(request, link, header);
        var response = await link.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            if (response.StatusCode == HttpStatusCode.Unauthorized) connection.Refuse(link);
            var body = await ReadErrorAsync(response, cancellation);
            var error = KubeErrors.Of((int)response.StatusCode, body, request.Subject);
            var asked = AskedToWait(response.Headers.RetryAfter) ?? error.RetryAfter;
            return error with { RetryAfter = asked ?? (error.Failure == KubeFailure.Overload ? TimeSpan.Zero : null) };
        }
    }

    private static HttpRequestMessage Message(KubeRequest request, KubeLink link, AuthenticationHeaderValue? credential)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(link.Root, request.Path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        message.Headers.Authorization = credential;
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (link.Access.Configuration.TlsServerName is { Length: > 0 } name) message.Headers.Host = name;
        foreach (var (header, value) in link.Access.Headers) message.Headers.TryAddWithoutValidation(header, value);
        if (request.Body is { } body) message.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, request.ContentType);
        return message;
    }

    /// <summary>The beginning of an error's body: a Status is small, and a page of HTML tells nothing more.</summary>
    private static async Task<byte[]> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        const int enough = 65_536;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[enough];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return buffer[..length];
    }

    private TimeSpan? AskedToWait(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? TimeSpan.FromTicks(Math.Max(0, (date - time.GetUtcNow()).Ticks)) : null);

    /// <summary>An overloaded server did nothing yet; any other failure may have come after the deed.</summary>
    private static bool MayRepeat(KubeRequest request, KubeError error) => error.Failure switch
    {
        // Without it, it was our own queue that was full.
        KubeFailure.Overload => error.RetryAfter is not null,
        KubeFailure.Unreachable or KubeFailure.WebhookDown => request.MayRepeat,
        _ => false,
    };

    /// <summary>Null: the exception is a bug.</summary>
    public string? WhyBroken(Exception e) => e switch
    {
        OperationCanceledException => string.Create(CultureInfo.InvariantCulture, $"it did not answer within {limits.RequestTimeout.TotalSeconds:0.#} s"),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } inner } =>
            $"its certificate is not the one expected ({KubeErrors.Clean(inner.Message)}); check the CA and the host name that the gateway was given",
        HttpRequestException or IOException => KubeErrors.Clean(Innermost(e).Message),
        _ => null,
    };

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    [LoggerMessage(3304, LogLevel.Debug, "Asking again to {Subject} in {Seconds:F1} s: {Error}")]
    private partial void LogRepeated(KubeSubject subject, KubeError error, double seconds);
}
