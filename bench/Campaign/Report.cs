using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SparkGateway.Campaign;

/// <summary>The tables, on the console, in bench/results and in README.</summary>
internal sealed partial class Report(Settings settings, Results results, IReadOnlyList<string> machine, IReadOnlyList<string> notes)
{
    private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    private IEnumerable<Work> Works => Work.All.Where(work => results.Samples.Any(sample => sample.Work == work.Id));

    public string Tables()
    {
        var text = new StringBuilder();
        Section(text, "Proxy CPU, median of the rounds (least - most)", work => work.ScaledUnit, Cpu);
        Section(text, "Ratio to the best L7 peer", work => results.BestL7(work)?.Name ?? "none", Ratio);
        Section(text, "System calls; context switches", work => work.IsBulk ? "per MB" : $"per {work.Unit}", Syscalls);
        Section(text, "Allocated bytes (.NET peers)", work => $"per {work.Unit}", Allocated);
        Section(text, "Latency p50 / p99, ms (information)", work => work.What, Times);
        text.AppendLine("## Idle sessions (W5)\n\n| peer | sessions | KiB each | CPU |\n|---|---:|---:|---:|");
        foreach (var (peer, idles) in results.Idles)
        {
            foreach (var idle in idles) text.AppendLine(CultureInfo.InvariantCulture, $"| {peer} | {idle.Sessions} | {idle.BytesEach / 1024:0.0} | {idle.CpuPercent:0.0} % |");
        }

        text.AppendLine("\n## Gates of the managed transport\n");
        foreach (var (gate, passed) in results.Gates()) text.AppendLine(CultureInfo.InvariantCulture, $"- {(passed is { } known ? known ? "PASS" : "FAIL" : "----")} {gate}");
        foreach (var note in notes) text.AppendLine(CultureInfo.InvariantCulture, $"- note: {note}");
        return text.ToString();
    }

    /// <summary>bench/results/DATE.md, and the short table in README.</summary>
    public async Task WriteAsync(CancellationToken stop)
    {
        var name = now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + ".md";
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# The relay beside other proxies, {now:yyyy-MM-dd HH:mm} UTC\n");
        text.AppendLine(CultureInfo.InvariantCulture, $"`./bench.sh`: {results.Rounds} rounds, shuffled with seed {settings.Seed}. Only ratios within one run mean anything.\n");
        foreach (var line in machine) text.AppendLine("- " + line);
        foreach (var work in Works) text.AppendLine(CultureInfo.InvariantCulture, $"- {work.Id}: {work.What}; {work.Requests} requests a round");
        text.AppendLine().Append(Tables()).AppendLine("\n## Configurations");
        foreach (var peer in results.Peers.Where(peer => peer.IsProxy))
            text.AppendLine(CultureInfo.InvariantCulture, $"\n{peer.Name}: {peer.Config}\n\n```\n{(await File.ReadAllTextAsync(Path.Combine(settings.Root, peer.Config), stop)).Trim()}\n```");
        await File.WriteAllTextAsync(Path.Combine(settings.Root, "bench/results", name), text.ToString(), stop);

        var readme = Path.Combine(settings.Root, "README.md");
        var old = await File.ReadAllTextAsync(readme, stop);
        await File.WriteAllTextAsync(readme, Measured().Replace(old, "$1" + Short(name).Replace("$", "$$", StringComparison.Ordinal) + "$2"), stop);
    }

    private string Short(string name)
    {
        var text = new StringBuilder().Append('\n');
        Table(text, work => work.ScaledUnit, (peer, work) => peer.IsProxy ? $"{results.Cpu(peer, work) * work.Scale:0.#}" : "");
        text.AppendLine(CultureInfo.InvariantCulture, $"Proxy CPU, median of {results.Rounds} shuffled rounds in one run. All figures, versions and configurations: [bench/results/{name}](bench/results/{name}).");
        return text.ToString();
    }

    private void Section(StringBuilder text, string title, Func<Work, string> head, Func<Peer, Work, string> cell)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"## {title}\n");
        Table(text, head, cell);
    }

    private void Table(StringBuilder text, Func<Work, string> head, Func<Peer, Work, string> cell)
    {
        text.Append("| peer |");
        foreach (var work in Works) text.Append(CultureInfo.InvariantCulture, $" {work.Id}, {head(work)} |");
        text.Append("\n|---|");
        foreach (var _ in Works) text.Append("---:|");
        text.Append('\n');
        foreach (var peer in results.Peers)
        {
            var cells = Works.Select(work => results.Has(peer, work) ? cell(peer, work) : "").ToArray();
            if (cells.All(one => one.Length == 0)) continue;
            text.Append(CultureInfo.InvariantCulture, $"| {peer.Name} |");
            foreach (var one in cells) text.Append(CultureInfo.InvariantCulture, $" {one} |");
            text.Append('\n');
        }

        text.Append('\n');
    }

    private string Cpu(Peer peer, Work work)
    {
        if (!peer.IsProxy) return "";
        var (least, most) = results.Spread(peer, work);
        return $"{results.Cpu(peer, work) * work.Scale:0.#} ({least * work.Scale:0.#} - {most * work.Scale:0.#})";
    }

    private string Ratio(Peer peer, Work work) =>
        peer.IsProxy && results.BestL7(work) is { } best ? $"{results.Cpu(peer, work) / results.Cpu(best, work):0.00}" : "";

    private string Syscalls(Peer peer, Work work)
    {
        var per = work.IsBulk ? 1e3 : 1;
        return results.ProfileOf(peer, work) is { Syscalls: { } calls } profile ? $"{calls / per:0.0#}; {profile.Switches / per:0.0#}" : "";
    }

    private string Allocated(Peer peer, Work work) => results.ProfileOf(peer, work) is { AllocatedBytes: { } bytes } ? $"{bytes:#,0}" : "";

    private string Times(Peer peer, Work work)
    {
        var latency = results.Latency(peer, work);
        return $"{latency.P50 / 1e3:0.##} / {latency.P99 / 1e3:0.##}";
    }

    [GeneratedRegex("(<!-- measured -->\n).*(<!-- /measured -->)", RegexOptions.Singleline)]
    private static partial Regex Measured();
}
