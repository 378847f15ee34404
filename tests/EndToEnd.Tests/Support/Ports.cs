using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace SparkGateway.EndToEnd.Tests.Support;

internal static class Ports
{
    /// <summary>Below the ports that systems draw for outgoing connections, above those of local drivers.</summary>
    private const int First = 30_000;
    private const int End = 32_700;

    /// <summary>A port of 127.0.0.1 that nobody listens on, drawn so that test projects side by side hardly meet.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: draw again.
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
