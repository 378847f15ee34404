using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>An h2c client under a test's control.</summary>
public sealed class RawH2Client : H2Connection
{
    private readonly string authority;
    private int nextId;

    private RawH2Client(Socket socket, string authority, H2Options options, int firstId)
        : base(socket, options)
    {
        this.authority = authority;
        nextId = firstId;
    }

    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="firstId">1 for grpc-core, 3 for grpc-java.</param>
    public static async Task<RawH2Client> ConnectAsync(int port, H2Options? options = null, int firstId = 1)
    {
        options ??= H2Options.Client;
        var client = new RawH2Client(await DialAsync(port, options.From), $"127.0.0.1:{port}", options, firstId);
        await client.StartAsync(isServer: false);
        return client;
    }

    /// <summary>A connection on which nothing has been said.</summary>
    public static async Task<Socket> DialAsync(int port, IPAddress? from = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null) socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(IPAddress.Loopback, port).Within($"a connection to port {port}");
        return socket;
    }

    /// <summary>What the peer sends back for these bytes until it closes.</summary>
    public static async Task<byte[]> ExchangeAsync(int port, ReadOnlyMemory<byte> bytes, TimeSpan? limit = null, IPAddress? from = null)
    {
        using var socket = await DialAsync(port, from);
        await using var network = new NetworkStream(socket);
        await network.WriteAsync(bytes);
        var answer = new MemoryStream();
        try
        {
            await network.CopyToAsync(answer).Within("the end of a connection", limit);
        }
        catch (IOException)
        {
            // A reset ends it as well.
        }

        return answer.ToArray();
    }

    /// <summary>A stream that nothing has been sent on.</summary>
    public H2Stream NewStream() => Add(Interlocked.Add(ref nextId, 2) - 2);

    /// <summary>Opens a call with its headers only.</summary>
    public async Task<H2Stream> OpenAsync(string path, params IEnumerable<HeaderField> headers)
    {
        var stream = NewStream();
        await stream.SendHeadersAsync(Grpc.RequestHeaders(path, authority, headers));
        return stream;
    }

    /// <summary>Opens a call, sends its one message and ends the request.</summary>
    public async Task<H2Stream> CallAsync(string path, byte[] message, params IEnumerable<HeaderField> headers)
    {
        var stream = await OpenAsync(path, headers);
        await stream.SendMessageAsync(message, endStream: true);
        return stream;
    }
}
