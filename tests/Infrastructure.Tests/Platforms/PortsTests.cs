using System.Net;
using System.Net.Sockets;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public class PortsTests
{
    [Fact]
    public void Take_WholeRange_GivesEachFreePortOnce()
    {
        using var used = new TcpListener(IPAddress.Loopback, 0);
        used.Start();
        var port = ((IPEndPoint)used.LocalEndpoint).Port;
        var first = Math.Min(port, IPEndPoint.MaxPort - 3);
        var ports = new Ports($"{first}-{first + 3}");

        var given = Enumerable.Range(0, 5).Select(_ => ports.Take()).ToList();

        var taken = given.Where(one => one.IsOk).Select(one => one.Value).ToList();
        Assert.Equal(taken.Count, taken.Distinct().Count());
        Assert.DoesNotContain(port, taken);
        Assert.All(taken, one => Assert.InRange(one, first, first + 3));
        Assert.Contains("widen it", given[^1].Error?.Text, StringComparison.Ordinal);
        ports.Return(taken[0]);
        Assert.Equal(taken[0], ports.Take().Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("20000")]
    [InlineData("30000-20000")]
    [InlineData("0-10")]
    [InlineData("1-65536")]
    [InlineData("a-b")]
    public void Take_BadRange_SaysTheForm(string range) => Assert.Contains("FIRST-LAST", new Ports(range).Take().Error?.Text, StringComparison.Ordinal);
}
