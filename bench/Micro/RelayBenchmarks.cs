using BenchmarkDotNet.Attributes;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Infrastructure.Routing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Micro;

/// <summary>The relay's state machines without sockets: what a frame and a call cost. The Allocated column must read nothing for DATA.</summary>
[MemoryDiagnoser]
public class RelayBenchmarks
{
    private const string Session = "00112233-4455-4677-8899-aabbccddeeff";
    private const int LargeMessage = 1 << 29;

    private readonly byte[] data = Frame.Data(1, new byte[16_000]).ToBytes();
    private readonly byte[] windows = [.. Frame.WindowUpdate(0, 16_000).ToBytes(), .. Frame.WindowUpdate(1, 16_000).ToBytes()];
    private readonly byte[] responseHead = HeaderEncoder.Encode(Grpc.ResponseHeaders());
    private readonly byte[] responseEnd = HeaderEncoder.Encode(Grpc.Trailers());
    private readonly byte[] requestHead = HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/ReleaseExecute", "gateway:15002"));
    private readonly byte[] answer = Grpc.Frame(Proto.Text(1, Session));
    private byte[] request = [];
    private ClientConnection streamClient = null!;
    private DriverConnection streamDriver = null!;
    private ClientConnection callClient = null!;
    private Effects callEffects = null!;
    private int clientStream = -1;
    private int driverStream = -1;

    [GlobalSetup]
    public void SetUp()
    {
        request = Grpc.Frame([.. Proto.Text(1, Session), .. Proto.Bytes(2, Proto.Text(1, "ana")), .. Proto.Bytes(3, new byte[36])]);
        (callClient, callEffects) = Connect();
        (streamClient, var effects) = Connect();
        byte[] head = [.. Grpc.Prefix(LargeMessage), .. Proto.Text(1, Session), .. Proto.Bytes(2, Proto.Text(1, "ana")), .. Proto.LengthHead(3, LargeMessage)];
        streamClient.Receive([.. Frame.Headers(1, requestHead).ToBytes(), .. Frame.Data(1, head).ToBytes()]);
        streamDriver = effects.Driver!;
        Greet(streamDriver);
        streamDriver.Receive(Frame.Headers(1, responseHead).ToBytes());
        Settle(streamClient, streamDriver);
    }

    [Benchmark(Description = "DATA frame of 16,000 bytes, upwards")]
    public void DataUp()
    {
        streamClient.Receive(data);
        Settle(streamClient, streamDriver);
        streamDriver.Receive(windows);
        Settle(streamClient, streamDriver);
    }

    [Benchmark(Description = "DATA frame of 16,000 bytes, downwards")]
    public void DataDown()
    {
        streamDriver.Receive(data);
        Settle(streamClient, streamDriver);
        streamClient.Receive(windows);
        Settle(streamClient, streamDriver);
    }

    [Benchmark(Description = "unary call of a bound session, both ways (test frames included)")]
    public void UnaryCall()
    {
        clientStream += 2;
        callClient.Receive([.. Frame.Headers(clientStream, requestHead).ToBytes(), .. Frame.Data(clientStream, request, endStream: true).ToBytes()]);
        var driver = callEffects.Driver!;
        if (driverStream < 0) Greet(driver);
        driverStream += 2;
        Settle(callClient, driver);
        driver.Receive([
            .. Frame.Headers(driverStream, responseHead).ToBytes(),
            .. Frame.Data(driverStream, answer).ToBytes(),
            .. Frame.Headers(driverStream, responseEnd, endStream: true).ToBytes(),
            .. Frame.WindowUpdate(0, (uint)request.Length).ToBytes(),
        ]);
        Settle(callClient, driver);
        callClient.Receive(Frame.WindowUpdate(0, (uint)answer.Length).ToBytes());
    }

    private static (ClientConnection, Effects) Connect()
    {
        var routes = new RouteTable();
        var route = new Route(new Session
        {
            Id = Guid.NewGuid(),
            Name = new SessionName("ns", "app"),
            Incarnation = 1,
            Kind = SessionKind.Attached,
            Platform = "config",
            State = SessionState.Ready,
            Address = "127.0.0.1:15002",
        }, null);
        routes.Bind(new ClientSessionKey("ana", Session), routes.Publish(route), BoundVia.Header);
        var limits = new RelayLimits(new RelayOptions());
        var effects = new Effects();
        var client = new ClientConnection(new RelayShared(limits, new HeaderNames(new HeaderNameOptions()), routes, new ParkedTotal(limits.ParkedTotal), new Inflater()), effects, "", 0);
        client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 4_194_304)).ToBytes(), .. Frame.WindowUpdate(0, 4_128_769).ToBytes()]);
        return (client, effects);
    }

    private static void Greet(DriverConnection driver) =>
        driver.Receive([.. Frame.Settings(new Setting(SettingId.InitialWindowSize, 1_048_576)).ToBytes(), .. Frame.WindowUpdate(0, 983_041).ToBytes()]);

    private static void Settle(ClientConnection client, DriverConnection driver)
    {
        client.Settle();
        Drain(client);
        Drain(driver);
        client.Settle();
        Drain(client);
        Drain(driver);
    }

    private static void Drain(Http2Connection connection)
    {
        while (!connection.Output.IsEmpty) connection.Output.Advance(connection.Output.Next.Length);
    }

    private sealed class Effects : IRelayEffects
    {
        public DriverConnection? Driver { get; private set; }

        public void Connect(DriverConnection driver) => Driver = driver;

        public void CloseDriver(DriverConnection driver)
        {
        }

        public void CloseClient()
        {
        }

        public void PeerMisbehaved(CallSide side, string reason)
        {
        }

        public void Admit(ParkedGroup group, RouteRequest request)
        {
        }

        public void CancelAdmission(ParkedGroup group)
        {
        }

        public void BindClone(RelayedCall call, LiveBinding parent, string newClientSessionId)
        {
        }

        public void Released(LiveBinding binding, string userAgent)
        {
        }

        public void Denied(GatewayError error, int count, Caller caller)
        {
        }

        public void CallEnded(in CallOutcome outcome)
        {
        }
    }
}
