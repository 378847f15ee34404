using System.Net;
using System.Net.Sockets;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Hosting;

/// <summary>Opens the gateway's listeners, all in one way, so that a port in use reads the same wherever it happens.</summary>
public static class ListenSocket
{
    private const int Backlog = 512;

    /// <summary>A socket that listens; else one sentence that names the port and the keys to change.</summary>
    /// <param name="section">The keys' section: spark_connect has spark_connect.bind and spark_connect.port.</param>
    public static Result<Socket> Open(IPAddress bind, int port, string section)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(bind.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (bind.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(new IPEndPoint(bind, port));
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            return new GatewayError(ErrorCode.StartFailed, Blame.Gateway, Why(e, bind, port, section));
        }
    }

    private static string Why(SocketException e, IPAddress bind, int port, string section) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"Port {port} is already in use on {bind}: stop the program that listens there, or choose another port with {section}.port (for example --set {section}.port={OtherPort(port)}).",
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported =>
            $"This machine has no address {bind} to listen on with port {port}: set {section}.bind to one of its addresses, or to 0.0.0.0 for all.",
        SocketError.AccessDenied =>
            $"This user may not listen on port {port} of {bind}: choose a port of 1024 or above with {section}.port.",
        _ => $"Cannot listen on port {port} of {bind} ({e.SocketErrorCode}): correct {section}.bind or {section}.port.",
    };

    private static int OtherPort(int port) => port + 1000 <= IPEndPoint.MaxPort ? port + 1000 : port - 1000;
}
