using System.Globalization;
using System.Net.Sockets;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>
/// A gateway under attack, and beside the attacker a client that behaves, on a connection and a driver of its own. The
/// attack is repeated until that client has done its calls, and what it costs the gateway is bounded.
/// </summary>
internal sealed class AttackScene : IAsyncDisposable
{
    /// <summary>The neighbour's calls while the attack goes on.</summary>
    private const int NeighbourCalls = 20;

    /// <summary>Over the attack: buffers, pools, garbage that waits for the collector. What is not bounded grows by more in a second.</summary>
    private const long MemoryBound = 96L * 1024 * 1024;

    /// <summary>Processor time of the gateway for one round of an attack; measured are some tens of milliseconds.</summary>
    private static readonly TimeSpan ProcessorBound = TimeSpan.FromSeconds(3);

    private readonly ScriptedDriver good = ScriptedDriver.StartEcho();
    private readonly string neighbourSession = RawGateway.NewSession();
    private readonly long startedAt = TimeProvider.System.GetTimestamp();

    private AttackScene()
    {
    }

    public RawGateway Gateway { get; private set; } = null!;

    /// <param name="victims">Drivers that the attack goes through or comes from: driver-1, driver-2 and so on.</param>
    public static async Task<AttackScene> StartAsync(GatewaySetup setup, params IEnumerable<ScriptedDriver> victims)
    {
        var scene = new AttackScene();
        scene.Gateway = await RawGateway.StartAsync(setup, [scene.good.Address, .. victims.Select(victim => victim.Address)]);
        await scene.Gateway.ServesAsync();
        return scene;
    }

    /// <summary>Repeats an attack beside the neighbour; gives the number of rounds.</summary>
    public async Task<int> RunAsync(Func<Task> attack)
    {
        var process = Gateway.Process.Process;
        var (memory, processor) = (process.ResidentBytes, ProcessorTime());
        await using var neighbour = await Gateway.ConnectAsync();
        var calls = CallAsync(neighbour);
        var rounds = 0;
        while (rounds == 0 || !calls.IsCompleted)
        {
            await attack();
            rounds++;
        }

        await calls;
        Assert.InRange(process.ResidentBytes - memory, long.MinValue, MemoryBound);
        Assert.InRange((ProcessorTime() - processor) / rounds, TimeSpan.Zero, ProcessorBound);
        return rounds;
    }

    /// <summary>Every hit is counted, and one line a minute is written.</summary>
    /// <param name="peer">client or driver.</param>
    public async Task ToldAsync(string peer, string reason, int hits)
    {
        var label = $"peer=\"{peer}\",reason=\"{reason}\"";
        await Deadlines.UntilAsync($"{hits} times {label} in the metrics", async () => await Gateway.Process.MetricAsync("spark_connect_limits_hit_total", label) >= hits);
        var line = $"Refused: {reason} ({(peer == "driver" ? "a driver of " : "")}127.0.0.1:";
        var repeated = $"Refused: {reason}, ";
        await Gateway.Process.Process.LineAsync(line, text => text.Contains(line, StringComparison.Ordinal) || text.Contains(repeated, StringComparison.Ordinal));
        var lines = Gateway.Process.Process.Lines.Count(text => text.Contains(line, StringComparison.Ordinal) || text.Contains(repeated, StringComparison.Ordinal));
        Assert.InRange(lines, 1, 2 + (int)TimeProvider.System.GetElapsedTime(startedAt).TotalMinutes);
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null) await Gateway.DisposeAsync();
        await good.DisposeAsync();
    }

    private async Task CallAsync(RawH2Client neighbour)
    {
        for (var number = 0; number < NeighbourCalls; number++)
        {
            var call = await neighbour.CallAsync(SparkRpc.Config, SparkRpc.Request(neighbourSession, "ada"), RawGateway.To(0));
            Assert.True(await call.StatusAsync() == 0, $"The neighbour's call {number} failed: {call}");
        }
    }

    private TimeSpan ProcessorTime()
    {
        // The name in field 2 may hold spaces; utime and stime are fields 14 and 15, in hundredths of a second.
        var fields = File.ReadAllText($"/proc/{Gateway.Process.Process.Pid}/stat").Split(") ")[^1].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }
}

internal static class AttackBytes
{
    public static byte[] Times(this Frame frame, int count) => Enumerable.Repeat(frame.ToBytes(), count).SelectMany(bytes => bytes).ToArray();

    /// <summary>The headers of a call to one of the drivers.</summary>
    public static byte[] Block(int driver) => HeaderEncoder.Encode(Grpc.RequestHeaders(SparkRpc.ExecutePlan, "localhost", RawGateway.To(driver)));

    /// <summary>Sends what the peer still takes: it may close in the middle of it.</summary>
    public static async Task FloodAsync(this H2Connection connection, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await connection.SendRawAsync(bytes);
        }
        catch (Exception gone) when (gone is IOException or SocketException)
        {
            // The test looks at the answer.
        }
    }
}
