using System.Globalization;

namespace SparkGateway.Campaign;

/// <summary>System calls, context switches and allocations of one run.</summary>
internal sealed class Counters : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly HttpClient http = new();
    private readonly bool hasPerf;

    private Counters(bool hasPerf) => this.hasPerf = hasPerf;

    /// <summary>Why system calls are not counted; null: they are.</summary>
    public string? Missing => hasPerf ? null : "perf is missing or may not count raw_syscalls:sys_enter here, so system calls and context switches are left out";

    public static async Task<Counters> CreateAsync(CancellationToken stop)
    {
        try
        {
            var text = Command.Exists("perf") ? await Command.RunAsync("perf", ["stat", "-x,", "-e", "raw_syscalls:sys_enter", "true"], Limit, stop) : "";
            return new Counters(Value(text, "raw_syscalls:sys_enter") > 0);
        }
        catch (BenchException)
        {
            return new Counters(false);
        }
    }

    public async Task<Profile> RunAsync(Peer peer, Server server, Work work, int requests, string folder, CancellationToken stop)
    {
        var units = work.Units(requests);
        var allocated = await Allocated(peer, stop);
        await Load.RunAsync(peer, work, requests, folder, stop);
        allocated = await Allocated(peer, stop) - allocated;
        if (!hasPerf) return new Profile(peer.Name, work.Id, null, null, allocated / units);

        var file = Path.Combine(folder, "perf.txt");
        string[] arguments = ["stat", "-x,", "-o", file, "-e", "raw_syscalls:sys_enter,context-switches", "-p", string.Join(',', server.Pids)];
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var perf = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("perf", arguments) { RedirectStandardError = true })!;
        try
        {
            // Nothing says when perf has begun to count; what it misses of the run is less than it needs to start.
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, stop);
            await Load.RunAsync(peer, work, requests, folder, stop);
            await Command.RunAsync("kill", ["-INT", $"{perf.Id}"], Limit, stop);
            await perf.WaitForExitAsync(stop);
        }
        finally
        {
            if (!perf.HasExited) perf.Kill(entireProcessTree: true);
        }

        var text = await File.ReadAllTextAsync(file, stop);
        return new Profile(peer.Name, work.Id, Value(text, "raw_syscalls:sys_enter") / units, Value(text, "context-switches") / units, allocated / units);
    }

    public void Dispose() => http.Dispose();

    private async Task<double?> Allocated(Peer peer, CancellationToken stop)
    {
        if (peer.MetricsPort == 0) return null;
        var text = await http.GetStringAsync($"http://127.0.0.1:{peer.MetricsPort}/metrics", stop);
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith("dotnet_gc_heap_total_allocated", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>perf's comma-separated lines: value, unit, event.</summary>
    private static double? Value(string text, string name) => text.Split('\n').Select(line => line.Split(',')).FirstOrDefault(fields => fields.Length > 2 && fields[2] == name) is { } found
        && double.TryParse(found[0], CultureInfo.InvariantCulture, out var value) ? value : null;
}
