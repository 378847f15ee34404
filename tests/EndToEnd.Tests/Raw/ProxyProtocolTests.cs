using System.Net;
using Microsoft.Data.Sqlite;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Proxies that say whom they have accepted: believed if they are trusted, and only then.</summary>
public sealed class ProxyProtocolTests
{
    private static readonly IPAddress Proxy = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Stranger = IPAddress.Parse("127.0.0.9");
    private static readonly byte[] Local = Convert.FromHexString("0d0a0d0a000d0a515549540a20000000");

    private static GatewaySetup Setup(params string[] more) =>
        new() { Settings = [$"spark_connect.trusted_proxies=[{Proxy}]", "relay.slow_peer_seconds=1", .. more] };

    [Fact]
    public async Task Client_BehindHaProxy_IsKnownByItsOwnAddress()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup("relay.slow_peer_seconds=60"), driver.Address);
        await using var proxy = await HaProxy.StartAsync(gateway.Process.Port, "send-proxy-v2");
        await proxy.HealthAsync("L7OK");

        await using var client = await RawH2Client.ConnectAsync(proxy.Port, H2Options.Client with { From = Stranger });
        await CallAsync(client);

        Assert.Equal([Stranger.ToString()], await ClientAddressesAsync(gateway));
        Assert.DoesNotContain("Refused", gateway.Process.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HaProxy_ThatSendsVersion1_IsRefusedWithTheReason()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup(), driver.Address);
        await using var proxy = await HaProxy.StartAsync(gateway.Process.Port, "send-proxy");

        await gateway.Process.Process.LineAsync("a line about version 1", line => line.Contains("PROXY protocol version 1 where version 2 is expected (127.0.0.1:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("505249202a20485454502f322e300d0a0d0a534d0d0a0d0a", "no PROXY protocol header from a trusted proxy (127.0.0.1:")]
    [InlineData("0d0a0d0a000d0a515549540a2111", "no PROXY protocol header within relay.slow_peer_seconds (127.0.0.1:")]
    [InlineData("", "no PROXY protocol header within relay.slow_peer_seconds (127.0.0.1:")]
    public async Task Header_ThatIsMissingOrSlow_ClosesTheConnectionWithALogLine(string hex, string says)
    {
        await using var gateway = await RawGateway.StartAsync(Setup());

        Assert.Empty(await RawH2Client.ExchangeAsync(gateway.Process.Port, Convert.FromHexString(hex), from: Proxy));

        await gateway.Process.Process.LineAsync(says, line => line.Contains(says, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Header_OfAStranger_IsABadPreface()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup(), driver.Address);

        Assert.Empty(await RawH2Client.ExchangeAsync(gateway.Process.Port, (byte[])[.. Header("203.0.113.7"), .. H2Connection.Preface], from: Stranger));

        await using var client = await gateway.ConnectAsync(H2Options.Client with { From = Stranger });
        await CallAsync(client);
        Assert.Equal([Stranger.ToString()], await ClientAddressesAsync(gateway));
    }

    [Fact]
    public async Task Connections_OfOneAddress_AreCapped()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup("relay.max_connections_per_address=2"), driver.Address);
        var options = H2Options.Client with { From = Proxy, Before = Header("203.0.113.7") };
        await using var first = await gateway.ConnectAsync(options);
        await using var second = await gateway.ConnectAsync(options);
        await CallAsync(first);
        await CallAsync(second);

        await using var third = await gateway.ConnectAsync(options);
        await third.ClosedAsync();
        await gateway.Process.Process.LineAsync("the refusal", line => line.Contains("relay.max_connections_per_address (203.0.113.7:", StringComparison.Ordinal));
        await using var other = await gateway.ConnectAsync(options with { Before = Header("203.0.113.8") });
        await CallAsync(other);
        foreach (var _ in Enumerable.Range(0, 3)) await using (var probe = await gateway.ConnectAsync(options with { Before = Local })) await CallAsync(probe);

        first.Finish();
        await first.ClosedAsync();
        await Deadlines.UntilAsync("a free place for the address", async () =>
        {
            await using var next = await gateway.ConnectAsync(options);
            return await Record.ExceptionAsync(() => next.PingAsync()) is null;
        });
        await CallAsync(second);
    }

    [Fact]
    public async Task Connections_AboveTheCapInTotal_AreClosedWithOneLogLine()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["relay.max_connections=2"] }, driver.Address);
        await using var first = await gateway.ConnectAsync();
        await CallAsync(first);
        using var silent = await RawH2Client.DialAsync(gateway.Process.Port);

        for (var number = 0; number < 10; number++) Assert.Empty(await RawH2Client.ExchangeAsync(gateway.Process.Port, Array.Empty<byte>()));

        await CallAsync(first);
        Assert.Equal(10, await gateway.Process.MetricAsync("spark_connect_limits_hit_total", "more connections than relay.max_connections"));
        await gateway.Process.Process.LineAsync("the refusal", line => line.Contains("relay.max_connections", StringComparison.Ordinal));
        Assert.Single(gateway.Process.Process.Lines, line => line.Contains("Refused", StringComparison.Ordinal));
    }

    private static async Task CallAsync(RawH2Client client)
    {
        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        Assert.True(await call.StatusAsync() == 0, $"A small call failed: {call}");
    }

    /// <summary>Version 2, TCP over IPv4.</summary>
    private static byte[] Header(string client) =>
        [.. Convert.FromHexString("0d0a0d0a000d0a515549540a2111000c"), .. IPAddress.Parse(client).GetAddressBytes(), 10, 0, 0, 1, 0xd9, 3, 0x3a, 0x9a];

    /// <summary>Where audit says that clients were, without their ports.</summary>
    private static async Task<IReadOnlyList<string>> ClientAddressesAsync(RawGateway gateway)
    {
        await using var store = new SqliteConnection($"Data Source={Path.Combine(gateway.Process.StateDir, "gateway.db")};Mode=ReadOnly;Pooling=False");
        await store.OpenAsync();
        await using var command = store.CreateCommand();
        command.CommandText = "SELECT DISTINCT substr(client_address, 1, instr(client_address, ':') - 1) FROM audit_log WHERE instr(client_address, ':') > 0";
        await using var rows = await command.ExecuteReaderAsync();
        var addresses = new List<string>();
        while (await rows.ReadAsync()) addresses.Add(rows.GetString(0));
        return addresses;
    }
}
