using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>A port behind which nobody answers: the queue of its listener is full, so that whoever dials it hears nothing.</summary>
public sealed class SilentListener : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private SilentListener(int port)
    {
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(0);
        filler.Connect(listener.LocalEndPoint!);
    }

    public string Address => listener.LocalEndPoint!.ToString()!;

    /// <param name="port">0 takes a free one.</param>
    public static SilentListener Start(int port = 0) => new(port);

    public void Dispose()
    {
        filler.Dispose();
        listener.Dispose();
    }
}
