using System.Net;
using SparkGateway.Infrastructure.Relay.Transport;

namespace SparkGateway.Relay.Tests.Transport;

/// <summary>The PROXY protocol's second version, byte by byte.</summary>
public sealed class ProxyHeaderTests
{
    private const string Signature = "0d0a0d0a000d0a515549540a";
    private const string FourAddresses = "cb007107" + "0a000001" + "d903" + "3a9a";
    private const string SixAddresses = "20010db8000000000000000000000007" + "fd000000000000000000000000000001" + "d903" + "3a9a";

    /// <summary>A TLV of type PP2_TYPE_AUTHORITY with the value "a".</summary>
    private const string Tlv = "02" + "0001" + "61";

    [Theory]
    [InlineData(Signature + "21" + "11" + "000c" + FourAddresses, "203.0.113.7:55555")]
    [InlineData(Signature + "21" + "11" + "0010" + FourAddresses + Tlv, "203.0.113.7:55555")]
    [InlineData(Signature + "21" + "21" + "0024" + SixAddresses, "[2001:db8::7]:55555")]
    [InlineData(Signature + "21" + "21" + "0028" + SixAddresses + Tlv, "[2001:db8::7]:55555")]
    [InlineData(Signature + "20" + "00" + "0000", null)]
    [InlineData(Signature + "20" + "11" + "000c" + FourAddresses, null)]
    [InlineData(Signature + "20" + "31" + "0004" + Tlv, null)]
    [InlineData(Signature + "21" + "00" + "0000", null)]
    public void Header_ThatIsGood_NamesItsClientOnceItIsWhole(string hex, string? client)
    {
        var bytes = Convert.FromHexString(hex);

        for (var length = 0; length < bytes.Length; length++)
        {
            var part = ProxyHeader.Read(bytes.AsSpan(0, length));
            Assert.Null(part.Refusal);
            Assert.Null(part.Client);
            Assert.InRange(part.Needed, length + 1, bytes.Length);
        }

        Assert.Equal(new ProxyHeader(bytes.Length, client is null ? null : IPEndPoint.Parse(client)), ProxyHeader.Read(bytes));
    }

    [Theory]
    [InlineData("50524f58592054435034", ProxyHeader.IsVersion1)]
    [InlineData("505249202a20485454502f322e300d0a", ProxyHeader.IsMissing)]
    [InlineData("0d0a0d0a000d0a515549540b", ProxyHeader.IsMissing)]
    [InlineData("0d0b", ProxyHeader.IsMissing)]
    [InlineData("160301", ProxyHeader.IsMissing)]
    [InlineData(Signature + "11" + "11" + "000c" + FourAddresses, ProxyHeader.IsBad)]
    [InlineData(Signature + "31" + "11" + "000c" + FourAddresses, ProxyHeader.IsBad)]
    [InlineData(Signature + "22" + "11" + "000c" + FourAddresses, ProxyHeader.IsBad)]
    [InlineData(Signature + "21" + "11" + "000b" + FourAddresses, ProxyHeader.IsBad)]
    [InlineData(Signature + "21" + "21" + "0023" + SixAddresses, ProxyHeader.IsBad)]
    [InlineData(Signature + "21" + "11" + "0000", ProxyHeader.IsBad)]
    [InlineData(Signature + "21" + "11" + "0209", ProxyHeader.IsTooLong)]
    [InlineData(Signature + "20" + "00" + "ffff", ProxyHeader.IsTooLong)]
    [InlineData(Signature + "21" + "12" + "000c" + FourAddresses, ProxyHeader.IsNotTcp)]
    [InlineData(Signature + "21" + "22" + "0024" + SixAddresses, ProxyHeader.IsNotTcp)]
    [InlineData(Signature + "21" + "31" + "0004" + Tlv, ProxyHeader.IsNotTcp)]
    [InlineData(Signature + "21" + "41" + "0004" + Tlv, ProxyHeader.IsNotTcp)]
    public void Header_ThatIsNone_IsRefusedWithTheReason(string hex, string reason) =>
        Assert.Equal(reason, ProxyHeader.Read(Convert.FromHexString(hex)).Refusal);

    [Fact]
    public void Header_OfTheLargestSize_IsTaken()
    {
        byte[] bytes = [.. Convert.FromHexString(Signature + "20000208"), .. new byte[520]];

        Assert.Equal(new ProxyHeader(ProxyHeader.MaxBytes), ProxyHeader.Read(bytes));
    }
}
