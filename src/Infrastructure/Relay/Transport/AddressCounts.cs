using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>How many connections each client address has. An IPv6 client owns a /64 as a rule, so that counts as one.</summary>
internal sealed class AddressCounts(int most)
{
    private const int NetworkBytes = 8;

    private readonly Dictionary<IPAddress, int> counts = [];

    public bool TryAdd(IPAddress address)
    {
        var key = Key(address);
        lock (counts)
        {
            var count = counts.GetValueOrDefault(key);
            if (count >= most) return false;
            counts[key] = count + 1;
            return true;
        }
    }

    public void Remove(IPAddress address)
    {
        var key = Key(address);
        lock (counts)
        {
            if (counts[key] == 1) counts.Remove(key);
            else counts[key]--;
        }
    }

    private static IPAddress Key(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new IPAddress(bytes);
    }
}
