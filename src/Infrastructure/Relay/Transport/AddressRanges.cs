using System.Net;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Addresses and CIDR ranges of the configuration, checked there.</summary>
internal sealed class AddressRanges(IEnumerable<string> ranges)
{
    private readonly IPNetwork[] networks = [.. ranges.Select(Parse)];

    public bool IsEmpty => networks.Length == 0;

    public bool Contains(IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }

    private static IPNetwork Parse(string range)
    {
        if (IPNetwork.TryParse(range, out var network)) return network;
        var address = IPAddress.Parse(range);
        return new IPNetwork(address, address.GetAddressBytes().Length * 8);
    }
}
