using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>On which side of the API server a request is held.</summary>
internal enum HoldPoint
{
    /// <summary>The API server never hears of it, unless it is let go.</summary>
    Request,

    /// <summary>The API server has done it and answered; whoever asked has not heard so.</summary>
    Answer,
}

/// <summary>Holds the first request that fits, until it is let go or whoever asked has gone.</summary>
internal sealed class HeldRequest(HoldPoint point, string method, string resource)
{
    private readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int taken;

    public HoldPoint Point => point;

    public Task HeldAsync(TimeSpan limit) => held.Task.Within($"a {method} of {resource} to hold", limit);

    public void LetGo() => released.TrySetResult();

    internal bool Takes(ApiCall call) => call.Method == method && call.Resource == resource && Interlocked.Exchange(ref taken, 1) == 0;

    internal Task WaitAsync(CancellationToken gone)
    {
        held.TrySetResult();
        return released.Task.WaitAsync(gone);
    }
}

/// <param name="Resource">The plural, such as pods.</param>
internal sealed record ApiCall(string Method, string Resource)
{
    public static ApiCall Of(HttpRequest request)
    {
        // /api/v1/namespaces/NS/pods/NAME and /apis/GROUP/v1/namespaces/NS/things/NAME.
        var parts = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var space = Array.IndexOf(parts, "namespaces");
        return new ApiCall(request.Method, space >= 0 && parts.Length > space + 2 ? parts[space + 2] : parts[^1]);
    }
}

/// <summary>Stands between one gateway and the plane's API server: holds a request on its way, counts what was made, lets watches fall behind.</summary>
internal sealed class ApiServerProxy : IAsyncDisposable
{
    private const int ChunkBytes = 65_536;
    private static readonly string[] PassedOn = ["Authorization", "Accept", "User-Agent"];

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-proxy-").FullName;
    private readonly X509Certificate2 certificate = TestCertificate.Make();
    private readonly ConcurrentQueue<(ApiCall Call, int Status)> answers = new();
    private readonly ConcurrentBag<HeldRequest> holds = [];
    private readonly Uri server;
    private readonly HttpClient way;
    private readonly WebApplication app;
    private volatile TaskCompletionSource flow = Flowing();

    private ApiServerProxy(KubePlane plane)
    {
        server = plane.ApiServer;
        way = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(plane.CaFile) } }) { Timeout = Timeout.InfiniteTimeSpan };
        var port = Ports.Free();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(certificate);
        }));
        app = builder.Build();
        app.Run(ForwardAsync);
        Kubeconfig = WriteKubeconfig(port, plane.Token);
    }

    /// <summary>For a gateway, with its own account's token.</summary>
    public string Kubeconfig { get; }

    public static async Task<ApiServerProxy> StartAsync(KubePlane plane)
    {
        var proxy = new ApiServerProxy(plane);
        await proxy.app.StartAsync();
        return proxy;
    }

    public HeldRequest Hold(HoldPoint point, string method, string resource)
    {
        var hold = new HeldRequest(point, method, resource);
        holds.Add(hold);
        return hold;
    }

    /// <summary>How many objects of that kind the API server has made for the gateway.</summary>
    public int Made(string resource) => answers.Count(answer => answer is { Call.Method: "POST", Status: (int)HttpStatusCode.Created } && answer.Call.Resource == resource);

    /// <summary>No watch hears anything from now on, as on a way that has broken without a sign. All other requests pass.</summary>
    public void StopWatches() => flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>They hear what they have missed, and all that follows.</summary>
    public void ContinueWatches() => flow.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        ContinueWatches();
        await app.DisposeAsync();
        way.Dispose();
        certificate.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var gone = context.RequestAborted;
        try
        {
            var call = ApiCall.Of(context.Request);
            var hold = holds.FirstOrDefault(one => one.Takes(call));
            using var request = await RequestAsync(context.Request);
            if (hold?.Point == HoldPoint.Request) await hold.WaitAsync(gone);
            using var answer = await way.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, gone);
            answers.Enqueue((call, (int)answer.StatusCode));
            if (hold?.Point == HoldPoint.Answer)
            {
                await answer.Content.LoadIntoBufferAsync(gone);
                await hold.WaitAsync(gone);
            }

            await AnswerAsync(context, answer, isWatch: context.Request.Query.ContainsKey("watch"), gone);
        }
        catch (Exception end) when (gone.IsCancellationRequested && end is OperationCanceledException or IOException or HttpRequestException)
        {
            // Whoever asked has gone, as is the point of many a test.
        }
    }

    private async Task<HttpRequestMessage> RequestAsync(HttpRequest from)
    {
        var request = new HttpRequestMessage(new HttpMethod(from.Method), new Uri(server, $"{from.Path}{from.QueryString}")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        foreach (var header in PassedOn) request.Headers.TryAddWithoutValidation(header, from.Headers[header].AsEnumerable());
        if (from.ContentType is not { } type) return request;
        using var body = new MemoryStream();
        await from.Body.CopyToAsync(body);
        request.Content = new ByteArrayContent(body.ToArray());
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        return request;
    }

    private async Task AnswerAsync(HttpContext context, HttpResponseMessage answer, bool isWatch, CancellationToken gone)
    {
        var to = context.Response;
        to.StatusCode = (int)answer.StatusCode;
        to.ContentType = answer.Content.Headers.ContentType?.ToString();
        if (answer.Headers.RetryAfter is { } wait) to.Headers.RetryAfter = wait.ToString();
        await to.StartAsync(gone);
        await using var body = await answer.Content.ReadAsStreamAsync(gone);
        var chunk = new byte[ChunkBytes];
        while (await body.ReadAsync(chunk, gone) is > 0 and var size)
        {
            if (isWatch) await flow.Task.WaitAsync(gone);
            await to.Body.WriteAsync(chunk.AsMemory(0, size), gone);
            await to.Body.FlushAsync(gone);
        }
    }

    private string WriteKubeconfig(int port, string token)
    {
        var (ca, path) = (Path.Combine(folder, "ca.pem"), Path.Combine(folder, "config"));
        File.WriteAllText(ca, certificate.ExportCertificatePem());
        File.WriteAllText(path, $$$"""
            {"apiVersion": "v1", "kind": "Config", "current-context": "it",
             "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:{{{port}}}", "certificate-authority": "{{{ca}}}"}}],
             "users": [{"name": "b", "user": {"token": "{{{token}}}"}}],
             "contexts": [{"name": "it", "context": {"cluster": "a", "user": "b"}}]}
            """);
        return path;
    }

    private static X509ChainPolicy Trust(string caFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }

    private static TaskCompletionSource Flowing()
    {
        var flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flow.SetResult();
        return flow;
    }
}
