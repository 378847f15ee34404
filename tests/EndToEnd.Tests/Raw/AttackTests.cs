using System.Text;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>What a client sends, and the GOAWAY that it gets.</summary>
public sealed record Attack(string Name, uint Code, string Reason, Func<RawH2Client, Task<byte[]>> Bytes)
{
    public override string ToString() => Name;
}

/// <summary>A gateway for all the floods of one client connection, with a driver that never answers.</summary>
public sealed class FloodedGateway : IAsyncLifetime
{
    private readonly ScriptedDriver silent = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false }, _ => Task.CompletedTask);

    internal AttackScene Scene { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Scene = await AttackScene.StartAsync(new GatewaySetup(), silent);

    public async ValueTask DisposeAsync()
    {
        await Scene.DisposeAsync();
        await silent.DisposeAsync();
    }
}

/// <summary>Floods and bombs of one connection: it ends with the reason, and the neighbour notices nothing.</summary>
public sealed class AttackTests(FloodedGateway shared) : IClassFixture<FloodedGateway>
{
    private const uint FlowControlError = 3;
    private const uint CompressionError = 9;

    /// <summary>The victim of what goes through to a driver: it takes calls and never answers.</summary>
    private const int Silent = 1;

    private static readonly Attack[] All =
    [
        new("rapid reset", ErrorCodes.EnhanceYourCalm, "too many resets", _ => Calls(2_000, id => [Frame.Reset(id, ErrorCodes.Cancel)])),
        new("made you reset", ErrorCodes.EnhanceYourCalm, "too many resets", _ => Calls(2_000, id => [Frame.WindowUpdate(id, 0)])),
        new("CONTINUATION flood", ErrorCodes.EnhanceYourCalm, "too many CONTINUATION frames", _ => Sent(Frame.Headers(1, default, endHeaders: false).ToBytes(), Frame.Continuation(1, default, endHeaders: false).Times(10_000))),
        new("endless header block", ErrorCodes.EnhanceYourCalm, "header block too large", _ => Sent(Frame.Headers(1, new byte[16_384], endHeaders: false).ToBytes(), Frame.Continuation(1, new byte[16_384], endHeaders: false).Times(5))),
        new("HPACK bomb", ErrorCodes.EnhanceYourCalm, "headers too large", _ => Sent(Frame.Headers(1, (byte[])[0x40, 1, (byte)'x', 0x7f, 0xa1, 0x1e, .. new byte[4_000]]).ToBytes(), Frame.Headers(3, Enumerable.Repeat((byte)0xbe, 16_000).ToArray()).ToBytes())),
        new("table resize", CompressionError, "broken header compression", _ => Sent(Frame.Headers(1, new byte[] { 0x20, 0x3f, 0xe1, 0x1f, 0x20, 0x3f, 0xe1, 0x1f }).ToBytes())),
        new("SETTINGS flood", ErrorCodes.EnhanceYourCalm, "too many SETTINGS", _ => Sent(Frame.Settings().Times(5_000))),
        new("window flips", ErrorCodes.EnhanceYourCalm, "too many SETTINGS", async client => [.. await Calls(500, _ => []), .. Frame.Settings(new Setting(SettingId.InitialWindowSize, 0)).Times(5_000)]),
        new("PING flood", ErrorCodes.EnhanceYourCalm, "too many PINGs", _ => Sent(Frame.Ping(7).Times(50_000))),
        new("RST_STREAM flood", ErrorCodes.EnhanceYourCalm, "too many frames on closed streams", async client => Frame.Reset(await EndedAsync(client), ErrorCodes.Cancel).Times(50_000)),
        new("late DATA flood", ErrorCodes.EnhanceYourCalm, "too many frames on closed streams", async client => Frame.Data(await EndedAsync(client), new byte[1]).Times(50_000)),
        new("empty DATA flood", ErrorCodes.EnhanceYourCalm, "too many empty DATA frames", async client => [.. await Calls(1, _ => []), .. Frame.Data(1, default).Times(10_000)]),
        new("PRIORITY flood", ErrorCodes.EnhanceYourCalm, "too many frames without effect", _ => Sent(new Frame(FrameType.Priority, 0, 1, new byte[5]).Times(10_000))),
        new("unknown frames", ErrorCodes.EnhanceYourCalm, "too many frames without effect", _ => Sent(new Frame((FrameType)0x77, 0, 0, default).Times(10_000))),
        new("SETTINGS acknowledgements", ErrorCodes.EnhanceYourCalm, "too many frames without effect", _ => Sent(Frame.SettingsAck.Times(10_000))),
        new("trailers flood", ErrorCodes.EnhanceYourCalm, "too many frames without effect", async client => Frame.Headers(await EndedAsync(client), default, endStream: true).Times(10_000)),
        new("GOAWAY flood", ErrorCodes.EnhanceYourCalm, "too many frames without effect", _ => Sent(Frame.GoAway(0, 0).Times(10_000))),
        new("WINDOW_UPDATE flood", ErrorCodes.EnhanceYourCalm, "too many WINDOW_UPDATEs", _ => Sent(Frame.WindowUpdate(0, 1).Times(50_000))),
        new("window overflow", FlowControlError, "flow control window overrun", _ => Sent(Frame.WindowUpdate(0, int.MaxValue).ToBytes())),
        new("zero increment", ErrorCodes.ProtocolError, "protocol error", _ => Sent(Frame.WindowUpdate(0, 0).ToBytes())),
    ];

    public static TheoryData<string> Names => [.. All.Select(attack => attack.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Flood_OfOneClient_EndsItsConnectionWithTheReason(string name)
    {
        var attack = All.Single(one => one.Name == name);
        var (scene, before) = (shared.Scene, await HitsAsync(attack.Reason));

        var rounds = await scene.RunAsync(async () =>
        {
            await using var client = await scene.Gateway.ConnectAsync();
            await client.FloodAsync(await attack.Bytes(client));
            var goAway = await client.FrameAsync(FrameType.GoAway);
            Assert.Equal((attack.Code, attack.Reason), (goAway.Code, Encoding.ASCII.GetString(goAway.Payload.Span[8..])));
            await client.ClosedAsync();
        });

        await scene.ToldAsync("client", attack.Reason, before + rounds);
    }

    [Fact]
    public async Task Pings_OfAClientThatReadsNothing_AreBounded()
    {
        var scene = shared.Scene;
        var before = await HitsAsync("too many PINGs");

        var rounds = await scene.RunAsync(async () =>
        {
            await using var client = await scene.Gateway.ConnectAsync(H2Options.Client with { ReceiveBufferBytes = 4_096 });
            client.PauseReading();
            await client.FloodAsync(Frame.Ping(7).Times(50_000));
        });

        await scene.ToldAsync("client", "too many PINGs", before + rounds);
    }

    private async Task<int> HitsAsync(string reason) => (int)await shared.Scene.Gateway.Process.MetricAsync("spark_connect_limits_hit_total", $"reason=\"{reason}\"");

    private static Task<byte[]> Sent(params byte[][] parts) => Task.FromResult(parts.SelectMany(part => part).ToArray());

    /// <summary>Calls that reach the driver, each followed by these frames.</summary>
    private static Task<byte[]> Calls(int count, Func<int, IEnumerable<Frame>> then)
    {
        var block = AttackBytes.Block(Silent);
        var session = RawGateway.NewSession();
        var message = Grpc.Frame(SparkRpc.Request(session, "ada"));
        return Task.FromResult(Enumerable.Range(0, count).Select(number => (2 * number) + 1)
            .SelectMany(id => (Frame[])[Frame.Headers(id, block), Frame.Data(id, message), .. then(id)]).SelectMany(frame => frame.ToBytes()).ToArray());
    }

    /// <summary>The number of a stream that is over.</summary>
    private static async Task<int> EndedAsync(RawH2Client client)
    {
        var call = await client.CallAsync("/grpc.health.v1.Health/Check", []);
        Assert.Equal(0, await call.StatusAsync());
        return call.Id;
    }
}
