using System.Buffers.Binary;

namespace SparkGateway.Testing.Http2;

/// <summary>gRPC over HTTP/2: the five bytes before each message, and the usual headers.</summary>
public static class Grpc
{
    public const int PrefixSize = 5;

    public static byte[] Frame(ReadOnlySpan<byte> message, bool compressed = false) => [.. Prefix(message.Length, compressed), .. message];

    public static byte[] Prefix(int length, bool compressed = false)
    {
        var prefix = new byte[PrefixSize];
        prefix[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), length);
        return prefix;
    }

    /// <summary>The first whole message and the bytes that it took, or null and 0.</summary>
    public static byte[]? Read(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < PrefixSize) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes[1..]);
        if (bytes.Length < PrefixSize + length) return null;
        size = PrefixSize + length;
        return bytes[PrefixSize..size].ToArray();
    }

    /// <summary>Request headers as grpc-core sends them, then the test's own.</summary>
    public static IReadOnlyList<HeaderField> RequestHeaders(string path, string authority, params IEnumerable<HeaderField> more) =>
    [
        (":path", path), (":authority", authority), (":method", "POST"), (":scheme", "http"), ("content-type", "application/grpc"), ("te", "trailers"),
        ("grpc-accept-encoding", "identity, deflate, gzip"), ("user-agent", "grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)"), .. more,
    ];

    public static IReadOnlyList<HeaderField> ResponseHeaders(params IEnumerable<HeaderField> more) =>
        [(":status", "200"), ("content-type", "application/grpc"), .. more];

    public static IReadOnlyList<HeaderField> Trailers(int status = 0, params IEnumerable<HeaderField> more) => [("grpc-status", $"{status}"), .. more];

    /// <summary>A whole answer: headers, messages, trailers.</summary>
    public static async Task AnswerAsync(this H2Stream call, ReadOnlyMemory<byte> message, int status = 0)
    {
        await call.SendHeadersAsync(ResponseHeaders());
        await call.SendMessageAsync(message);
        await call.SendHeadersAsync(Trailers(status), endStream: true);
    }

    /// <summary>The status in the last block of an ended call; -1 if it has none.</summary>
    public static async Task<int> StatusAsync(this H2Stream call, TimeSpan? limit = null)
    {
        var trailers = await call.EndAsync(limit);
        return int.TryParse(trailers["grpc-status"], out var status) ? status : -1;
    }
}
