using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>One unary gRPC call, made by hand.</summary>
internal static class RawCall
{
    /// <summary>ReleaseSession of an unknown session: opens none, and is checked for its token.</summary>
    public static async Task<string> ReleaseSessionAsync(string address, string? token)
    {
        using var client = new HttpClient { Timeout = LocalHarness.Patience };
        byte[] id = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("D"));
        byte[] message = [0x0A, (byte)id.Length, .. id, 0x12, 5, 0x0A, 3, .. "ann"u8];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{address}/spark.connect.SparkConnectService/ReleaseSession")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (token is not null) request.Headers.TryAddWithoutValidation("authorization", $"Bearer {token}");
        using var response = await client.SendAsync(request);
        return Status(response.TrailingHeaders) ?? Status(response.Headers) ?? "none";
    }

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.First() : null;
}
