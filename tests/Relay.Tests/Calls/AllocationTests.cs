using SparkGateway.Infrastructure.Relay;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>Relays of other tests collect the heap when they rest, and with it the shared buffers that these have warmed up.</summary>
[CollectionDefinition(nameof(Allocations), DisableParallelization = true)]
public sealed class Allocations;

[Collection(nameof(Allocations))]
public sealed class AllocationTests
{
    private const int Frames = 10_000;

    /// <param name="isTraced">Spans cost something for each call, and nothing for each message.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DataFrames_EitherWay_AllocateNothing(bool isTraced)
    {
        var bench = new RelayBench(tracer: isTraced ? new CallTracer(1) : null);
        bench.Bind();
        var client = bench.Client;
        client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1 << 30)).ToBytes(), .. Frame.WindowUpdate(0, 1 << 30).ToBytes()]);
        byte[] body = [.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. Proto.LengthHead(3, 1 << 29)];
        client.Receive([
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "g"))).ToBytes(),
            .. Frame.Data(1, (byte[])[.. Grpc.Prefix(1 << 29), .. body]).ToBytes(),
        ]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive([
            .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1 << 30)).ToBytes(),
            .. Frame.WindowUpdate(0, 1 << 30).ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders())).ToBytes(),
        ]);
        var up = Frame.Data(1, new byte[8_000]).ToBytes();
        var down = Frame.Data(1, new byte[8_000]).ToBytes();
        Pass(client, driver, up, down, 200);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Pass(client, driver, up, down, Frames);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void EditedMessages_AllocateNothing()
    {
        var bench = new RelayBench(access: RelayBench.Enforced);
        bench.Bind();
        bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1 << 30)).ToBytes(), .. Frame.WindowUpdate(0, 1 << 30).ToBytes()]);
        bench.Client.Receive([
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "g", (RelayBench.Identity, RelayBench.User)))).ToBytes(),
            .. Frame.Data(1, Grpc.Frame(Proto.Text(1, RelayBench.ClientSession))).ToBytes(),
        ]);
        var driver = Assert.Single(bench.Connected);
        driver.Receive([
            .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1 << 30)).ToBytes(),
            .. Frame.WindowUpdate(0, 1 << 30).ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders())).ToBytes(),
        ]);

        // Messages cut by frames, in the prefix too: their middle and their ends take different ways.
        byte[][] up = [.. Enumerable.Repeat(Grpc.Frame(Proto.Bytes(3, new byte[9_000])), 7).SelectMany(bytes => bytes).Chunk(4_002).Select(part => Frame.Data(1, part).ToBytes())];
        var down = Frame.Data(1, new byte[10]).ToBytes();
        for (var n = 0; n < 20; n++)
        {
            foreach (var part in up) Pass(bench.Client, driver, part, down, 1);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < Frames / up.Length; n++)
        {
            foreach (var part in up) Pass(bench.Client, driver, part, down, 1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Empty(bench.Ended);
    }

    private static void Pass(ClientConnection client, DriverConnection driver, byte[] up, byte[] down, int frames)
    {
        for (var n = 0; n < frames; n++)
        {
            client.Receive(up);
            client.Settle();
            Drain(driver);
            driver.Receive(down);
            client.Settle();
            Drain(client);
        }
    }

    private static void Drain(Http2Connection connection)
    {
        while (!connection.Output.IsEmpty) connection.Output.Advance(connection.Output.Next.Length);
    }
}
