using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>What a driver sends instead of an answer.</summary>
public sealed record DriverAttack(string Name, string Reason, Func<H2Stream, Task> Answer);

/// <summary>A gateway with one driver for each attack: driver-1 is the first of the table.</summary>
public sealed class HostileDrivers : IAsyncLifetime
{
    private readonly ScriptedDriver[] drivers = [.. DriverAttackTests.All.Select(attack => ScriptedDriver.Start(H2Options.Driver, attack.Answer))];

    internal AttackScene Scene { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Scene = await AttackScene.StartAsync(new GatewaySetup(), drivers);

    public async ValueTask DisposeAsync()
    {
        await Scene.DisposeAsync();
        foreach (var driver in drivers) await driver.DisposeAsync();
    }
}

/// <summary>Drivers that flood their client: its call ends UNAVAILABLE, the driver's connection with it, and nothing else does.</summary>
public sealed class DriverAttackTests(HostileDrivers shared) : IClassFixture<HostileDrivers>
{
    private const int Unavailable = 14;

    internal static readonly DriverAttack[] All =
    [
        new("endless header block", "header block too large", call => call.Connection.FloodAsync((byte[])[.. Frame.Headers(call.Id, new byte[16_384], endHeaders: false).ToBytes(), .. Frame.Continuation(call.Id, new byte[16_384], endHeaders: false).Times(10)])),
        new("thousand header fields", "headers too large", call => call.SendHeadersAsync(Grpc.ResponseHeaders(Enumerable.Range(0, 1_000).Select(number => new HeaderField($"x-{number}", ""))))),
        new("CONTINUATION flood", "too many CONTINUATION frames", call => call.Connection.FloodAsync((byte[])[.. Frame.Headers(call.Id, default, endHeaders: false).ToBytes(), .. Frame.Continuation(call.Id, default, endHeaders: false).Times(10_000)])),
        new("DATA beyond the window", "flow control window overrun", call => AnswerAsync(call, Frame.Data(call.Id, new byte[16_384]).Times(10))),
        new("SETTINGS flood", "too many SETTINGS", call => AnswerAsync(call, Frame.Settings().Times(5_000))),
        new("PING flood", "too many PINGs", call => AnswerAsync(call, Frame.Ping(7).Times(50_000))),
        new("WINDOW_UPDATE flood", "too many WINDOW_UPDATEs", call => AnswerAsync(call, Frame.WindowUpdate(0, 1).Times(50_000))),
        new("empty DATA flood", "too many frames without effect", call => AnswerAsync(call, Frame.Data(call.Id, default).Times(10_000))),
        new("unknown frames", "too many frames without effect", call => AnswerAsync(call, new Frame((FrameType)0x77, 0, 0, default).Times(10_000))),
        new("frames on a stream that is over", "too many frames on closed streams", AnswerForEverAsync),
    ];

    public static TheoryData<string> Names => [.. All.Select(attack => attack.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Flood_OfADriver_EndsItsConnectionWithTheReason(string name)
    {
        var number = Array.FindIndex(All, attack => attack.Name == name);
        var scene = shared.Scene;
        var before = (int)await scene.Gateway.Process.MetricAsync("spark_connect_limits_hit_total", $"peer=\"driver\",reason=\"{All[number].Reason}\"");

        var rounds = await scene.RunAsync(async () =>
        {
            await using var client = await scene.Gateway.ConnectAsync(new H2Options { AcknowledgesSettings = true });
            var call = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(number + 1));
            Assert.Equal(All[number].Answer == AnswerForEverAsync ? 0 : Unavailable, await call.StatusAsync());
            await client.PingAsync();
            if (All[number].Answer == AnswerForEverAsync) await scene.ToldAsync("driver", All[number].Reason, 1);
        });

        await scene.ToldAsync("driver", All[number].Reason, before + rounds);
    }

    /// <summary>The beginning of an answer, then these bytes.</summary>
    private static async Task AnswerAsync(H2Stream call, byte[] bytes)
    {
        await call.SendHeadersAsync(Grpc.ResponseHeaders());
        await call.Connection.FloodAsync(bytes);
    }

    /// <summary>A good answer that does not stop.</summary>
    private static async Task AnswerForEverAsync(H2Stream call)
    {
        await call.AnswerAsync(SparkRpc.Response("s"));
        await call.Connection.FloodAsync(Frame.WindowUpdate(call.Id, 1).Times(9_000));
        await call.Connection.FloodAsync(Frame.Reset(call.Id, ErrorCodes.Cancel).Times(50_000));
    }
}
