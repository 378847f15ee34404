using System.Net.Sockets;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>What sessions cost that do nothing: one client connection with its driver connection each.</summary>
public sealed class IdleSessionTests(ITestOutputHelper output)
{
    private const int Sessions = 1_000;
    private const int Batch = 50;

    [Fact]
    public async Task Sessions_ThatAreIdle_CostLittleMemory()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        var warm = await OpenAsync(gateway, Batch);
        var before = gateway.Process.Process.ResidentBytes;

        var open = await OpenAsync(gateway, Sessions);

        var each = (gateway.Process.Process.ResidentBytes - before) / Sessions;
        output.WriteLine($"{each} bytes of process memory for each idle session");
        foreach (var socket in warm.Concat(open)) socket.Dispose();
        Assert.True(each < 100_000, $"{each} bytes for each idle session");
    }

    private static async Task<IReadOnlyList<Socket>> OpenAsync(RawGateway gateway, int count)
    {
        var open = new List<Socket>();
        while (open.Count < count) open.AddRange(await Task.WhenAll(Enumerable.Range(0, Batch).Select(_ => OpenAsync(gateway))));
        return open;
    }

    /// <summary>One call on a connection that stays open.</summary>
    private static async Task<Socket> OpenAsync(RawGateway gateway)
    {
        var socket = await RawH2Client.DialAsync(gateway.Process.Port);
        byte[] hello =
        [
            .. H2Connection.Preface, .. Frame.Settings([.. H2Options.Client.Settings]).ToBytes(), .. Frame.WindowUpdate(0, H2Options.Client.ConnectionWindowIncrement).ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.Config, "localhost", RawGateway.To(0)))).ToBytes(),
            .. Frame.Data(1, Grpc.Frame(SparkRpc.Request(RawGateway.NewSession(), "ada")), endStream: true).ToBytes(),
        ];
        await socket.SendAsync(hello);
        var answer = new byte[4096];
        var size = 0;
        while (!answer.AsSpan(0, size).EndsWith("\0\vgrpc-status\u00010"u8)) 
        {
            var count = await socket.ReceiveAsync(answer.AsMemory(size));
            Assert.True(count > 0, "The gateway closed a good connection.");
            size += count;
        }

        await socket.SendAsync(Frame.SettingsAck.ToBytes());
        return socket;
    }
}
