using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>What clients may send to one driver has a bound for all its calls: a call whose request is complete may keep none of it.</summary>
public sealed class UnusedGrantTests
{
    private readonly RelayBench bench = new();

    [Fact]
    public void Request_ThatEnds_GivesBackWhatItWasGrantedAndDidNotUse()
    {
        bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        bench.Bind();
        byte[] message = [.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User))];
        bench.Client.Receive(Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "gateway:15002"))).ToBytes());
        bench.Client.Receive(Frame.Data(1, Grpc.Frame(message)).ToBytes());
        var driver = Assert.Single(bench.Connected);
        driver.Receive([.. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1_000_000)).ToBytes(), .. Frame.WindowUpdate(0, 1_000_000).ToBytes()]);
        bench.Client.Settle();
        Assert.NotEqual(0, driver.Account.ExtraGrants);

        bench.Client.Receive(Frame.Data(1, Array.Empty<byte>(), endStream: true).ToBytes());

        Assert.Single(driver.Calls);
        Assert.Equal(0, driver.Account.ExtraGrants);
    }
}
