using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Who is at the other end of a client connection.</summary>
/// <param name="Socket">The socket's peer: a proxy, where there is one. What may be trusted goes by this one.</param>
/// <param name="Client">Who it is for, as a trusted proxy says; else the socket's peer. For audit, logs and caps.</param>
internal sealed record ClientPeer(IPEndPoint Socket, IPEndPoint Client)
{
    public static readonly ClientPeer Unknown = Of(new IPEndPoint(IPAddress.None, 0));

    public static ClientPeer Of(IPEndPoint socket) => new(Plain(socket), Plain(socket));

    /// <summary>A peer that is gone already has no address.</summary>
    public static ClientPeer Of(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint is IPEndPoint address ? Of(address) : Unknown;
        }
        catch (SocketException)
        {
            return Unknown;
        }
    }

    public ClientPeer For(IPEndPoint client) => this with { Client = Plain(client) };

    public override string ToString() => Client.ToString();

    /// <summary>A socket of all addresses shows IPv4 peers as IPv6; ranges and people mean IPv4.</summary>
    private static IPEndPoint Plain(IPEndPoint address) =>
        address.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(address.Address.MapToIPv4(), address.Port) : address;
}
