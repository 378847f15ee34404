using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace SparkGateway.Campaign;

/// <summary>Times of one run's requests, in microseconds.</summary>
internal sealed record Latency(double P50, double P99)
{
    public static Latency Of(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return sorted.Length == 0 ? new Latency(0, 0) : new Latency(sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100]);
    }
}

/// <summary>Puts one work on one peer. A request that fails, or an answer of another size, ends the campaign.</summary>
internal static partial class Load
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static Task<Latency> RunAsync(Peer peer, Work work, int requests, string folder, CancellationToken stop) =>
        work.IsConnecting ? Connect(peer, requests, stop) : H2Load(peer, work, requests, folder, stop);

    private static async Task<Latency> H2Load(Peer peer, Work work, int requests, string folder, CancellationToken stop)
    {
        var log = Path.Combine(folder, "h2load.log");
        string[] arguments =
        [
            "-n", $"{requests}", "-c", $"{work.Connections}", "-m", $"{work.Streams}", "-w", "22", "-W", "22",
            "-d", Path.Combine(folder, work.Body), "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "x-spark-session-id: upstream",
            "--log-file", log, $"http://127.0.0.1:{peer.Port}{Upstream.Service}{work.Call}",
        ];
        File.Delete(log);
        var text = await Command.RunAsync("h2load", arguments, Limit, stop);
        var succeeded = Count(Succeeded().Match(text));
        var data = Count(Data().Match(text));
        if (succeeded != requests || data != (long)requests * work.Answer)
            throw new BenchException($"{peer.Name} at {work.Id}: {succeeded} of {requests} requests came through, with {data} bytes of answers.\n{text}");
        return Latency.Of((await File.ReadAllLinesAsync(log, stop)).Select(line => double.Parse(line[(line.LastIndexOf('\t') + 1)..], CultureInfo.InvariantCulture)));
    }

    private static Task<Latency> Connect(Peer peer, int connections, CancellationToken stop)
    {
        var times = new double[connections];
        var message = Messages.Make(Upstream.SmallBytes);
        for (var i = 0; i < connections; i++)
        {
            stop.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            using var connection = RawConnection.Open(peer.Port);
            connection.Call(message);
            times[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        }

        return Task.FromResult(Latency.Of(times));
    }

    private static long Count(Match match) => match.Success ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"(\d+) succeeded")]
    private static partial Regex Succeeded();

    [GeneratedRegex(@"\((\d+)\) data")]
    private static partial Regex Data();
}
