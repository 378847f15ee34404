using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SparkGateway.Campaign;

/// <summary>A client of one call that costs next to nothing: for thousands of connections. It blocks.</summary>
internal sealed class RawConnection : IDisposable
{
    private const byte Data = 0, Headers = 1, Reset = 3, SettingsFrame = 4, GoAway = 7;
    private const byte EndStream = 1, Ack = 1, EndHeaders = 4;
    private const int FrameHeaderBytes = 9;

    private readonly Socket socket;
    private readonly byte[] block;
    private readonly byte[] buffer = new byte[4096];
    private int filled;

    private RawConnection(Socket socket, int port)
    {
        this.socket = socket;
        block = HeaderBlock(port);
    }

    public static RawConnection Open(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, port);
        return new RawConnection(socket, port);
    }

    /// <summary>The connection's first call, to its end.</summary>
    public void Call(byte[] message)
    {
        socket.Send([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(SettingsFrame, 0, 0, []), .. Frame(Headers, EndHeaders, 1, block), .. Frame(Data, EndStream, 1, message)]);
        var received = 0;
        while (true)
        {
            var (type, flags, length) = ReadFrame();
            if (type == SettingsFrame && (flags & Ack) == 0) socket.Send(Frame(SettingsFrame, Ack, 0, []));
            if (type is Reset or GoAway) throw new BenchException($"A call was refused (frame type {type}).");
            if (type == Data) received += length;
            if (type is not (Data or Headers) || (flags & EndStream) == 0) continue;
            if (received != Upstream.SmallBytes) throw new BenchException($"An answer of {received} bytes instead of {Upstream.SmallBytes}.");
            return;
        }
    }

    public void Dispose() => socket.Dispose();

    private (byte Type, byte Flags, int Length) ReadFrame()
    {
        Fill(FrameHeaderBytes);
        var length = (buffer[0] << 16) | (buffer[1] << 8) | buffer[2];
        var (type, flags) = (buffer[3], buffer[4]);
        Fill(FrameHeaderBytes + length);
        filled -= FrameHeaderBytes + length;
        Buffer.BlockCopy(buffer, FrameHeaderBytes + length, buffer, 0, filled);
        return (type, flags, length);
    }

    private void Fill(int bytes)
    {
        if (bytes > buffer.Length) throw new BenchException($"A frame of {bytes} bytes is more than an answer needs.");
        while (filled < bytes)
        {
            var count = socket.Receive(buffer.AsSpan(filled));
            if (count == 0) throw new BenchException("A connection was closed before its answer.");
            filled += count;
        }
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[FrameHeaderBytes + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, FrameHeaderBytes);
        return frame;
    }

    /// <summary>Literal fields without indexing and without Huffman codes: the simplest legal block.</summary>
    private static byte[] HeaderBlock(int port)
    {
        var block = new List<byte>();
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)
        [
            (":method", "POST"), (":scheme", "http"), (":path", Upstream.Service + "AnalyzePlan"), (":authority", $"127.0.0.1:{port}"),
            ("content-type", "application/grpc"), ("te", "trailers"), ("x-spark-session-id", "upstream"),
        ])
        {
            block.Add(0);
            foreach (var text in (ReadOnlySpan<string>)[name, value])
            {
                block.Add((byte)text.Length);
                block.AddRange(Encoding.ASCII.GetBytes(text));
            }
        }

        return [.. block];
    }
}
