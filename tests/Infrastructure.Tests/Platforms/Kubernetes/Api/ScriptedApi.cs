using System.Net;
using System.Net.Sockets;
using System.Text;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>In the place of an API server, for what the real one cannot be made to do. The test takes each request and writes the bytes of its answer.</summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public ScriptedApi() => listener.Start();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>A gateway that takes this for its cluster proxy.</summary>
    public KubeHarness Client(Action<KubernetesOptions>? configure = null, TimeProvider? time = null, string path = "") => new(
        options =>
        {
            options.ClusterProxyUrl = $"http://127.0.0.1:{Port}{path}";
            options.Kubernetes.BackoffMilliseconds = 1;

            // A machine under load must not look like a server that does not answer.
            (options.Kubernetes.RequestTimeoutSeconds, options.Kubernetes.CallLimitSeconds, options.Kubernetes.ConnectSeconds) = (600, 600, 600);
            configure?.Invoke(options.Kubernetes);
        },
        time: time);

    public async Task<ScriptedCall> NextAsync()
    {
        var socket = await listener.AcceptTcpClientAsync(Cancellation).AsTask().WaitAsync(LocalHarness.Patience, Cancellation);
        var stream = socket.GetStream();
        var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var request = (await reader.ReadLineAsync(Cancellation))!.Split(' ');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync(Cancellation) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var body = new char[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length) : 0];

        // Of nothing, it would wait for more.
        if (body.Length > 0) await reader.ReadBlockAsync(body, Cancellation);
        return new ScriptedCall(socket, request[0], request[1], headers, new string(body));
    }

    /// <summary>Takes the next request and answers it.</summary>
    public async Task<ScriptedCall> AnswerAsync(int code, string body, string headers = "")
    {
        var call = await NextAsync();
        await call.AnswerAsync(code, body, headers);
        return call;
    }

    public ValueTask DisposeAsync()
    {
        listener.Dispose();
        return ValueTask.CompletedTask;
    }
}

internal sealed record ScriptedCall(TcpClient Socket, string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body) : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public string Query(string name) => System.Web.HttpUtility.ParseQueryString(new Uri("http://x" + Target).Query)[name] ?? "";

    public async Task AnswerAsync(int code, string body, string headers = "")
    {
        await WriteAsync($"HTTP/1.1 {code} Said\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
        Dispose();
    }

    /// <summary>Begins an answer that goes on until the connection is closed.</summary>
    public Task BeginAsync() => WriteAsync("HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");

    public async Task WriteAsync(string text) => await Socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), Cancellation);

    /// <summary>Blanks without an end, until the gateway has read enough and closes; 4 MB are more than any bound of these tests.</summary>
    public async Task FloodAsync()
    {
        try
        {
            for (var i = 0; i < 64; i++) await WriteAsync(new string(' ', 65_536));
        }
        catch (IOException)
        {
            // The gateway has closed it.
        }
    }

    public void Dispose() => Socket.Dispose();
}
