using System.Diagnostics;

namespace SparkGateway.Campaign;

/// <summary>The campaign from its first process to its report.</summary>
internal sealed class Runner(Settings settings, TextWriter console)
{
    private readonly long began = Stopwatch.GetTimestamp();
    private readonly string folder = Scratch();
    private readonly Dictionary<Peer, Server> servers = [];
    private readonly List<string> notes = [];

    /// <summary>0: every gate that was measured has passed.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        try
        {
            var peers = Choose();
            var results = new Results(peers);
            var load = (await File.ReadAllTextAsync("/proc/loadavg", stop)).Split(' ')[0];
            await using var upstream = await Upstream.StartAsync(folder, stop);
            await MeasureIdle(results, stop);
            foreach (var peer in peers.Where(peer => peer.IsProxy))
                servers[peer] = await Server.StartAsync(folder, peer.Name, peer.Program, peer.Arguments, peer.Port, stop);
            await Check(results, stop);
            await WarmUp(peers, stop);
            await Count(results, stop);
            await MeasureRounds(results, stop);
            var report = new Report(settings, results, await Machine.DescribeAsync(load, stop), notes);
            await console.WriteLineAsync(report.Tables());
            if (settings.Writes) await report.WriteAsync(stop);
            return results.Gates().Any(gate => gate.Passed == false) ? 1 : 0;
        }
        finally
        {
            foreach (var server in servers.Values) await server.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private List<Peer> Choose()
    {
        var chosen = new List<Peer>();
        if (!Command.Exists("nghttpd") || !Command.Exists("h2load"))
            throw new BenchException("nghttpd and h2load are missing: install Debian's nghttp2-server and nghttp2-client.");
        foreach (var peer in Peer.All(settings.Root, folder))
        {
            if (settings.Only.Count > 0 && peer.Kind != PeerKind.Direct && !settings.Only.Contains(peer.Name)) continue;
            if (!peer.IsProxy || Command.Exists(peer.Program)) chosen.Add(peer);
            else notes.Add($"{peer.Name} is not installed and is left out.");
        }

        return chosen;
    }

    private async Task MeasureIdle(Results results, CancellationToken stop)
    {
        foreach (var peer in results.Peers.Where(peer => peer.IsProxy && (peer.Kind == PeerKind.Ours || !settings.IsQuick)))
        {
            int[] counts = peer.Kind == PeerKind.Ours && !settings.IsQuick ? [1_000, 9_000] : [1_000];
            foreach (var count in counts)
            {
                // Two sockets for each session, and some more.
                if (Machine.OpenFilesLimit() < (2 * count) + 1_000)
                {
                    notes.Add($"W5 at {count} sessions needs {(2 * count) + 1_000} open files; this system allows {Machine.OpenFilesLimit()}.");
                    continue;
                }

                await Say($"W5: {count} idle sessions through {peer.Name}");
                results.Idles.TryAdd(peer.Name, []);
                results.Idles[peer.Name].Add(await Idle.RunAsync(peer, count, folder, stop));
            }
        }
    }

    private async Task Check(Results results, CancellationToken stop)
    {
        foreach (var peer in results.Peers)
        {
            var fault = await ByteCheck.RunAsync(peer, folder, stop);
            results.Checks[peer.Name] = fault;
            await Say($"byte-exact: {peer.Name}: {fault ?? "yes"}");
            if (!peer.IsProxy && fault is not null) throw new BenchException($"The upstream itself is not exact: {fault}");
        }
    }

    /// <summary>Programs that compile themselves as they run are measured when they have.</summary>
    private async Task WarmUp(IReadOnlyList<Peer> peers, CancellationToken stop)
    {
        await Say("warm-up");
        foreach (var peer in peers.Where(peer => peer.Program == "dotnet"))
        {
            foreach (var work in Works()) await Load.RunAsync(peer, work, work.RequestsOf(settings.IsQuick), folder, stop);
        }
    }

    private async Task Count(Results results, CancellationToken stop)
    {
        using var counters = await Counters.CreateAsync(stop);
        if (counters.Missing is { } missing) notes.Add(missing + ".");
        await Say("system calls, context switches, allocations");
        foreach (var (peer, server) in servers)
        {
            foreach (var work in Works())
            {
                var requests = work.RequestsOf(settings.IsQuick) / (settings.IsQuick ? 4 : 2);
                results.Profiles.Add(await counters.RunAsync(peer, server, work, requests, folder, stop));
            }
        }
    }

    private async Task MeasureRounds(Results results, CancellationToken stop)
    {
        var random = new Random(settings.Seed);
        for (var round = 1; round <= settings.Rounds; round++)
        {
            if (Stopwatch.GetElapsedTime(began) > settings.LastRoundStart)
            {
                notes.Add($"Only {round - 1} of {settings.Rounds} rounds: the time was up.");
                return;
            }

            await Say($"round {round} of {settings.Rounds}");
            var runs = Works().SelectMany(work => results.Peers.Select(peer => (peer, work))).ToArray();
            random.Shuffle(runs);
            foreach (var (peer, work) in runs) results.Samples.Add(await Measure(peer, work, stop));
            results.Rounds = round;
        }
    }

    private async Task<Sample> Measure(Peer peer, Work work, CancellationToken stop)
    {
        var requests = work.RequestsOf(settings.IsQuick);
        var pids = servers.TryGetValue(peer, out var server) ? server.Pids : [];
        var before = ProcessTree.CpuSeconds(pids);
        var latency = await Load.RunAsync(peer, work, requests, folder, stop);
        return new Sample(peer.Name, work.Id, (ProcessTree.CpuSeconds(pids) - before) / work.Units(requests), latency);
    }

    private IEnumerable<Work> Works() => Work.All.Where(work => work.RequestsOf(settings.IsQuick) > 0);

    /// <summary>In memory where the system has such a folder: a slow disk is nobody's merit.</summary>
    private static string Scratch() => Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory($"/dev/shm/spark-gateway-bench-{Environment.ProcessId}").FullName
        : Directory.CreateTempSubdirectory("spark-gateway-bench").FullName;

    private Task Say(string text) => console.WriteLineAsync($"[{Stopwatch.GetElapsedTime(began).TotalSeconds,4:0} s] {text}");
}
