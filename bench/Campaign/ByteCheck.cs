using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace SparkGateway.Campaign;

/// <summary>Whoever changes a byte is not measured: bodies of many sizes, alone and together, are compared by their hashes.</summary>
internal static class ByteCheck
{
    private static readonly int[] Sizes = [73, 100, 1_000, 16_384, 16_385, 65_535, 65_541, 1_000_003, Upstream.LargeBytes + 1, 20_000_000];

    private const int EchoSession = 1_000_000;

    /// <summary>Null: the peer is exact. Else what went wrong.</summary>
    public static async Task<string?> RunAsync(Peer peer, string folder, CancellationToken stop)
    {
        using var handler = new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(15) };
        var large = await File.ReadAllBytesAsync(Path.Combine(folder, "www" + Upstream.Service + "ExecutePlan"), stop);
        var small = Messages.Make(Upstream.SmallBytes);
        var isTogether = false;
        try
        {
            foreach (var size in Sizes)
            {
                if (await Echo(client, peer, size, stop) is { } alone) return "alone: " + alone;
            }

            var together = Sizes.Select(size => Echo(client, peer, size, stop))
                .Concat(Enumerable.Range(0, 8).Select(_ => Exchange(client, peer.Port, "upstream", "ExecutePlan", small, large, stop)));
            isTogether = true;
            return (await Task.WhenAll(together)).FirstOrDefault(fault => fault is not null) is { } fault ? "many at once: " + fault : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            return $"{(isTogether ? "many at once" : "alone")}: {e.Message}";
        }
    }

    private static Task<string?> Echo(HttpClient client, Peer peer, int size, CancellationToken stop)
    {
        // A client session of its own: the gateway would refuse one that is bound to the upstream already.
        var body = Messages.Make(size, EchoSession);
        return Exchange(client, peer.CheckPort, "echo", "Echo", body, body, stop);
    }

    private static async Task<string?> Exchange(HttpClient client, int port, string session, string call, byte[] body, byte[] expected, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}{Upstream.Service}{call}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Add("x-spark-session-id", session);
        using var response = await client.SendAsync(request, stop);
        var answer = await response.Content.ReadAsByteArrayAsync(stop);
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var values) ? string.Join(',', values) : "none";
        if (response.StatusCode != HttpStatusCode.OK || status != "0") return $"{call} of {body.Length} bytes: HTTP {(int)response.StatusCode}, grpc-status {status}";
        return SHA256.HashData(answer).AsSpan().SequenceEqual(SHA256.HashData(expected)) ? null : $"{call} of {body.Length} bytes came back as {answer.Length} other bytes";
    }
}
