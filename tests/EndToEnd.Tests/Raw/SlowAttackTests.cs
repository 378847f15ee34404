using System.Net.Sockets;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>A gateway that waits for nobody for long, with two drivers that never answer by themselves.</summary>
public sealed class ImpatientGateway : IAsyncLifetime
{
    public ScriptedDriver Silent { get; } = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false }, _ => Task.CompletedTask);

    public ScriptedDriver Scripted { get; } = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });

    internal AttackScene Scene { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Scene = await AttackScene.StartAsync(new GatewaySetup { Settings = ["relay.slow_peer_seconds=2"] }, Silent, Scripted);

    public async ValueTask DisposeAsync()
    {
        await Scene.DisposeAsync();
        await Silent.DisposeAsync();
        await Scripted.DisposeAsync();
    }
}

/// <summary>Attacks by many or by waiting: connections and calls that do nothing but hold what they got.</summary>
public sealed class SlowAttackTests(ImpatientGateway shared) : IClassFixture<ImpatientGateway>
{
    private const int InvalidArgument = 3;
    private const int Crowd = 300;
    /// <summary>What the gateway opens and closes by itself meanwhile: its store, the metrics that tests read.</summary>
    private const int FewFiles = 20;

    private const string TooSlow = "preface or headers too slow";

    private const int Silent = 1;
    private const int Scripted = 2;

    private readonly AttackScene scene = shared.Scene;

    [Fact]
    public async Task Connections_ThatSayNothing_AreClosed()
    {
        var before = scene.Gateway.OpenFiles();

        await scene.RunAsync(async () =>
        {
            var crowd = await CrowdAsync([]);
            await Task.WhenAll(crowd.Select(EndAsync));
        });

        await scene.ToldAsync("client", TooSlow, Crowd);
        await scene.Gateway.OpenFilesBackAsync(before + FewFiles);
    }

    [Fact]
    public async Task Connections_ThatCloseTheirHalf_AreClosedAtOnce()
    {
        var before = scene.Gateway.OpenFiles();

        await scene.RunAsync(async () =>
        {
            var crowd = await CrowdAsync([.. H2Connection.Preface, .. Frame.Settings().ToBytes()]);
            foreach (var socket in crowd) socket.Shutdown(SocketShutdown.Send);
            await Task.WhenAll(crowd.Select(EndAsync));
        });

        await scene.Gateway.OpenFilesBackAsync(before + FewFiles);
    }

    [Fact]
    public async Task Clients_ThatDripTheirBytes_AreEnded()
    {
        await scene.RunAsync(async () =>
        {
            var preface = DripAsync(await RawH2Client.DialAsync(scene.Gateway.Process.Port), H2Connection.Preface);
            await using var headers = await scene.Gateway.ConnectAsync();
            await headers.SendRawAsync(Frame.Headers(1, AttackBytes.Block(0)).ToBytes().AsMemory(0, 20));
            await using var message = await scene.Gateway.ConnectAsync();
            var call = await message.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0));
            await call.SendDataAsync(Grpc.Prefix(100));

            Assert.Equal(ErrorCodes.EnhanceYourCalm, (await headers.FrameAsync(FrameType.GoAway)).Code);
            Assert.Equal(InvalidArgument, await call.StatusAsync());
            await message.PingAsync();
            await preface;
        });

        await scene.ToldAsync("client", TooSlow, 2);
    }

    [Fact]
    public async Task Client_ThatDoesNotReadItsResult_HoldsLittle()
    {
        const int Window = 64 * 1024 * 1024;
        const int MostHeld = 3 * 1024 * 1024;
        var reader = new H2Options { Settings = [new(SettingId.InitialWindowSize, Window)], ConnectionWindowIncrement = Window, ReceiveBufferBytes = 65_536, CreditsData = false };
        await using var client = await scene.Gateway.ConnectAsync(reader);
        var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(Scripted));
        var taken = await shared.Scripted.CallAsync();
        client.PauseReading();

        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        var sending = Record.ExceptionAsync(() => taken.SendDataAsync(new byte[Window / 2], endStream: true, Deadlines.Transfer));
        var sent = await SettledAsync(() => Window - taken.SendWindow);
        await scene.RunAsync(() => Task.CompletedTask);

        Assert.InRange(sent, 1, MostHeld);
        Assert.False(call.HasEnded);
        client.ResumeReading();
        await call.EndAsync(Deadlines.Transfer);
        Assert.Null(await sending);
    }

    [Fact]
    public async Task Calls_ThatWaitForADriverInThousands_AreBoundedInNumberAndMemory()
    {
        const int Allowed = 10_000;
        const int Above = 500;
        await using var engine = SlowEngine.Create();
        await using var starting = await AttackScene.StartAsync(engine.Setup);
        await using var client = await starting.Gateway.ConnectAsync();
        var message = Grpc.Frame(SparkRpc.Request(RawGateway.NewSession(), "ada"));
        var block = HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.ExecutePlan, "localhost"));

        await starting.RunAsync(async () =>
        {
            if (client.Frames.Any(frame => frame.Type == FrameType.RstStream)) return;
            foreach (var part in Enumerable.Range(0, Allowed + Above).Chunk(500))
                await client.SendRawAsync(part.SelectMany(number => (byte[])[.. Frame.Headers((2 * number) + 1, block).ToBytes(), .. Frame.Data((2 * number) + 1, message, endStream: true).ToBytes()]).ToArray());
            await client.PingAsync();
        });

        var refused = client.Frames.Where(frame => frame.Type == FrameType.RstStream).ToArray();
        Assert.Equal(Above, refused.Length);
        Assert.All(refused, frame => Assert.Equal(ErrorCodes.RefusedStream, frame.Code));
        client.Abort();
        await Deadlines.UntilAsync("the end of the parked calls", async () => await starting.Gateway.Process.MetricAsync("spark_connect_proxy_requests_total", "rpc=\"ExecutePlan\"") >= Allowed);
    }

    [Fact]
    public async Task Calls_ThatADriverNeverAnswers_AreCutOffWithTheirClient()
    {
        const int Count = 5_000;
        var message = Grpc.Frame(SparkRpc.Request(RawGateway.NewSession(), "ada"));
        var block = AttackBytes.Block(Silent);
        var calls = Enumerable.Range(0, Count).SelectMany(number => (byte[])[.. Frame.Headers((2 * number) + 1, block).ToBytes(), .. Frame.Data((2 * number) + 1, message, endStream: true).ToBytes()]).ToArray();

        await using var client = await scene.Gateway.ConnectAsync();
        await scene.RunAsync(() => client.Streams.Count > 0 ? Task.CompletedTask : OpenAsync());

        // The exporter repeats its last answer for some hundred milliseconds.
        await Deadlines.UntilAsync("the open calls", async () => await scene.Gateway.Process.MetricAsync("spark_connect_open_calls") == Count);
        client.Abort();

        await Deadlines.UntilAsync("the end of the calls", async () => await scene.Gateway.Process.MetricAsync("spark_connect_open_calls") == 0);
        await shared.Silent.Connections[0].ClosedAsync();

        async Task OpenAsync()
        {
            client.NewStream();
            await client.SendRawAsync(calls);
            await client.PingAsync();
        }
    }

    private async Task<IReadOnlyList<Socket>> CrowdAsync(byte[] hello)
    {
        var crowd = new List<Socket>();
        while (crowd.Count < Crowd)
        {
            var socket = await RawH2Client.DialAsync(scene.Gateway.Process.Port);
            if (hello.Length > 0) await socket.SendAsync(hello);
            crowd.Add(socket);
        }

        return crowd;
    }

    /// <summary>Reads until the gateway closes, and closes too.</summary>
    private static async Task EndAsync(Socket socket)
    {
        using (socket)
        {
            var bytes = new byte[256];
            try
            {
                while (await socket.ReceiveAsync(bytes).Within("the end of a connection") > 0)
                {
                }
            }
            catch (SocketException)
            {
                // A reset ends it as well.
            }
        }
    }

    /// <summary>A byte now and then, until the gateway has enough of it.</summary>
    private static async Task DripAsync(Socket socket, byte[] bytes)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var ended = EndAsync(socket);
        for (var at = 0; at < bytes.Length && !ended.IsCompleted; at++)
        {
            if (await Record.ExceptionAsync(async () => await socket.SendAsync(bytes.AsMemory(at, 1))) is not null) break;
            await timer.WaitForNextTickAsync();
        }

        await ended;
    }

    /// <summary>A number that grows, once it has stopped growing.</summary>
    private static async Task<long> SettledAsync(Func<long> number)
    {
        var (last, same) = (-1L, 0);
        await Deadlines.UntilAsync("a steady number", () => (same = number() == last ? same + 1 : 0, last = number()).Item1 >= 20);
        return last;
    }
}
