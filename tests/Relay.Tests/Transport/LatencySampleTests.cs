using System.Diagnostics.Metrics;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Relay.Tests.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Transport;

/// <summary>One batch in so many is timed. Only what this thread records counts: other tests run relays too.</summary>
public sealed class LatencySampleTests : IDisposable
{
    private const int Batches = 10_000;

    private readonly MeterListener listener = new();
    private readonly int thread = Environment.CurrentManagedThreadId;
    private readonly RelayBench bench = new();
    private readonly byte[] up = Frame.Data(1, new byte[8_000]).ToBytes();
    private readonly DriverConnection driver;
    private LatencySample sample;
    private int recorded;

    public LatencySampleTests()
    {
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Name == "spark_connect_message_latency_seconds") listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => recorded += Environment.CurrentManagedThreadId == thread ? 1 : 0);
        listener.Start();
        bench.Bind();
        byte[] body = [.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. Proto.LengthHead(3, 1 << 29)];
        Client.Receive([
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "g"))).ToBytes(),
            .. Frame.Data(1, (byte[])[.. Grpc.Prefix(1 << 29), .. body]).ToBytes(),
        ]);
        driver = Assert.Single(bench.Connected);
        driver.Receive([.. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1 << 30)).ToBytes(), .. Frame.WindowUpdate(0, 1 << 30).ToBytes()]);
        Client.Settle();
        Drain();
    }

    private ClientConnection Client => bench.Client;

    public void Dispose() => listener.Dispose();

    [Fact]
    public void Sample_SocketThatHasNotTakenTheBytes_IsTimedWhenItHas()
    {
        for (var n = 0; n < LatencySample.Every; n++) Batch(up);
        Assert.Equal(0, recorded);

        Drain();
        sample.Follow(Client);

        Assert.Equal(1, recorded);
        sample.Follow(Client);
        Assert.Equal(1, recorded);
    }

    [Fact]
    public void Sample_BatchThatMovesNothing_IsNotTimed()
    {
        var nothing = Frame.Ping(0).ToBytes();

        for (var n = 0; n < 4 * LatencySample.Every; n++) Batch(nothing, isTaken: true);

        Assert.Equal(0, recorded);
    }

    [Fact]
    public void Sample_DriverThatWentBeforeItTookTheBytes_IsForgotten()
    {
        for (var n = 0; n < LatencySample.Every; n++) Batch(up);

        sample.Forget(driver.Output);
        Drain();
        sample.Follow(Client);

        Assert.Equal(0, recorded);
    }

    [Fact]
    public void Sample_ManyBatches_TimesOneInSoManyAndAllocatesNothing()
    {
        for (var n = 0; n < 4 * LatencySample.Every; n++) Batch(up, isTaken: true);
        var before = (recorded, Bytes: GC.GetAllocatedBytesForCurrentThread());

        for (var n = 0; n < Batches; n++) Batch(up, isTaken: true);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before.Bytes);
        Assert.InRange(recorded - before.recorded, Batches / LatencySample.Every, (Batches / LatencySample.Every) + 1);
    }

    private void Batch(byte[] bytes, bool isTaken = false)
    {
        sample.Begin(Client);
        Client.Receive(bytes);
        Client.Settle();
        if (isTaken) Drain();
        sample.Follow(Client);
    }

    private void Drain()
    {
        while (!Client.Output.IsEmpty) Client.Output.Advance(Client.Output.Next.Length);
        while (!driver.Output.IsEmpty) driver.Output.Advance(driver.Output.Next.Length);
    }
}
