using System.Net;
using SparkGateway.Infrastructure.Relay.Transport;

namespace SparkGateway.Relay.Tests.Transport;

public sealed class AddressTests
{
    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.2.0.1", false)]
    [InlineData("192.0.2.1", true)]
    [InlineData("192.0.2.2", false)]
    [InlineData("fd00::1234", true)]
    [InlineData("fe00::1", false)]
    [InlineData("::1", true)]
    public void Ranges_AndSingleAddresses_ContainTheirOwn(string address, bool isIn) =>
        Assert.Equal(isIn, new AddressRanges(["10.1.0.0/16", "192.0.2.1", "fd00::/8", "::1"]).Contains(IPAddress.Parse(address)));

    [Fact]
    public void Peer_OfASocketThatTakesBothFamilies_IsShownAsIPv4()
    {
        var peer = ClientPeer.Of(IPEndPoint.Parse("[::ffff:10.1.2.3]:4711"));

        Assert.Equal("10.1.2.3:4711", peer.ToString());
        Assert.True(new AddressRanges(["10.0.0.0/8"]).Contains(peer.Socket.Address));
    }

    [Fact]
    public void Peer_ThatAProxyNames_KeepsTheSocketsAddressApart()
    {
        var peer = ClientPeer.Of(IPEndPoint.Parse("10.1.2.3:4711")).For(IPEndPoint.Parse("203.0.113.7:55555"));

        Assert.Equal("203.0.113.7:55555", peer.ToString());
        Assert.Equal("10.1.2.3:4711", peer.Socket.ToString());
    }

    [Fact]
    public void Counts_AreBoundedForEachAddressAndFreedAtTheEnd()
    {
        var counts = new AddressCounts(2);
        var (one, other) = (IPAddress.Parse("203.0.113.7"), IPAddress.Parse("203.0.113.8"));

        Assert.True(counts.TryAdd(one));
        Assert.True(counts.TryAdd(one));
        Assert.False(counts.TryAdd(one));
        Assert.True(counts.TryAdd(other));
        counts.Remove(one);
        Assert.True(counts.TryAdd(one));
        Assert.False(counts.TryAdd(one));
    }

    [Fact]
    public void Counts_OfIPv6_AreThoseOfTheNetwork()
    {
        var counts = new AddressCounts(1);

        Assert.True(counts.TryAdd(IPAddress.Parse("2001:db8:0:1::7")));
        Assert.False(counts.TryAdd(IPAddress.Parse("2001:db8:0:1:ffff::8")));
        Assert.True(counts.TryAdd(IPAddress.Parse("2001:db8:0:2::7")));
    }
}
