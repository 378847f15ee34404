using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace SparkGateway.Testing;

/// <summary>Ports for the servers of tests.</summary>
public static class Ports
{
    /// <summary>Below the ports that systems draw for outgoing connections, above those of local drivers.</summary>
    private const int First = 30_000;
    private const int End = 32_700;

    private static int last = RandomNumberGenerator.GetInt32(End - First);

    /// <summary>A port of 127.0.0.1 that nobody listens on. Each once in a run, before its user listens; from a random one on, so that runs side by side hardly meet.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref last) % (End - First));
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }

    public static async Task<bool> IsOpenAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
