using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Hands out free loopback ports of local.port_range, none twice: a driver opens its port seconds after it was chosen.</summary>
internal sealed class Ports(string range)
{
    // Random tries before the range is searched from end to end.
    private const int RandomTries = 32;
    private readonly Lock gate = new();
    private readonly HashSet<int> taken = [];

    public Result<int> Take()
    {
        if (!TryParse(range, out var first, out var last)) return Error($"local.port_range is \"{range}\": write FIRST-LAST, such as 20000-29999.");
        lock (gate)
        {
            for (var i = 0; i < RandomTries; i++)
            {
                var port = RandomNumberGenerator.GetInt32(first, last + 1);
                if (TryTake(port)) return port;
            }

            for (var port = first; port <= last; port++)
            {
                if (TryTake(port)) return port;
            }
        }

        return Error($"No port of local.port_range {range} is free on 127.0.0.1: widen it, or end what uses those ports.");
    }

    public void Return(int port)
    {
        lock (gate) taken.Remove(port);
    }

    private bool TryTake(int port)
    {
        if (taken.Contains(port) || !IsFree(port)) return false;
        taken.Add(port);
        return true;
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static bool TryParse(string range, out int first, out int last)
    {
        first = last = 0;
        var parts = range.Split('-');
        return parts.Length == 2 && int.TryParse(parts[0], out first) && int.TryParse(parts[1], out last)
            && first is > 0 and <= IPEndPoint.MaxPort && last <= IPEndPoint.MaxPort && first <= last;
    }

    private static GatewayError Error(string text) => new(ErrorCode.StartFailed, Blame.Gateway, text);
}
