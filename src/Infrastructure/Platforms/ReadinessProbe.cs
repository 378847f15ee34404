using System.Net;
using System.Net.Http.Headers;

namespace SparkGateway.Infrastructure.Platforms;

/// <summary>
/// Asks a server for a method that does not exist. UNIMPLEMENTED shows that gRPC is up; it needs no token, for methods are
/// looked up before tokens, and opens no Spark session.
/// </summary>
internal sealed class ReadinessProbe : IDisposable
{
    private const string Method = "/spark.connect.SparkConnectService/GatewayPing";
    private const string Unimplemented = "12";
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient client;
    private readonly TimeProvider time;

    public ReadinessProbe(string address, TimeProvider time)
    {
        this.time = time;
        client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri($"http://{address}"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            MaxResponseContentBufferSize = 4096,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Method) { Content = new ByteArrayContent(new byte[5]) };
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            request.Headers.TE.ParseAdd("trailers");
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            using var response = await client.SendAsync(request, either.Token);
            return Status(response.Headers) == Unimplemented || Status(response.TrailingHeaders) == Unimplemented;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => client.Dispose();

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.FirstOrDefault() : null;
}
