namespace SparkGateway.Campaign;

/// <param name="Cpu">Seconds of proxy CPU for each unit.</param>
internal sealed record Sample(string Peer, string Work, double Cpu, Latency Latency);

/// <summary>Counted in a run of its own, since counting costs CPU. Null: the kernel or the peer does not say.</summary>
internal sealed record Profile(string Peer, string Work, double? Syscalls, double? Switches, double? AllocatedBytes);

/// <summary>All that was measured, and what follows from it.</summary>
internal sealed class Results(IReadOnlyList<Peer> peers)
{
    public const double IdleLimitBytes = 8 * 1024;

    /// <summary>Work of timers: the runtime's own, once a second or less.</summary>
    private const double IdleCpuPercent = 0.7;

    public IReadOnlyList<Peer> Peers { get; } = peers;

    public int Rounds { get; set; }

    public List<Sample> Samples { get; } = [];

    public List<Profile> Profiles { get; } = [];

    public Dictionary<string, List<Idle>> Idles { get; } = [];

    public Dictionary<string, string?> Checks { get; } = [];

    public bool Has(Peer peer, Work work) => Samples.Any(sample => sample.Peer == peer.Name && sample.Work == work.Id);

    public double Cpu(Peer peer, Work work) => Median(Of(peer, work).Select(sample => sample.Cpu));

    public (double Least, double Most) Spread(Peer peer, Work work) => (Of(peer, work).Min(sample => sample.Cpu), Of(peer, work).Max(sample => sample.Cpu));

    public Latency Latency(Peer peer, Work work) =>
        new(Median(Of(peer, work).Select(sample => sample.Latency.P50)), Median(Of(peer, work).Select(sample => sample.Latency.P99)));

    public Profile? ProfileOf(Peer peer, Work work) => Profiles.FirstOrDefault(profile => profile.Peer == peer.Name && profile.Work == work.Id);

    public Peer? BestL7(Work work) => Peers.Where(peer => peer.Kind == PeerKind.L7 && Has(peer, work)).MinBy(peer => Cpu(peer, work));

    /// <summary>One line for each gate of the managed transport. Null: not measured, or a report without a gate.</summary>
    public IEnumerable<(string Text, bool? Passed)> Gates()
    {
        foreach (var peer in Peers.Where(peer => peer.IsProxy && Checks.ContainsKey(peer.Name)))
        {
            if (Checks[peer.Name] is { } fault) yield return ($"{peer.Name} passes bytes on exactly: {fault}", peer.Kind == PeerKind.Ours ? false : null);
        }

        if (Peers.FirstOrDefault(peer => peer.Kind == PeerKind.Ours) is not { } ours) yield break;
        yield return ("bytes pass exactly", Checks.TryGetValue(ours.Name, out var own) ? own is null : null);
        foreach (var work in Work.All)
        {
            if (BestL7(work) is not { } best || !Has(ours, work)) continue;
            var ratio = Cpu(ours, work) / Cpu(best, work);
            var text = $"{work.Id}: {ratio:0.00} x the best L7 peer ({best.Name})";
            yield return work.Id switch
            {
                "W2" => ($"{text}; gate: below 1.0", ratio < 1),
                "W3" or "W4" => ($"{text}; gate: at most 1.5", ratio <= 1.5),
                _ => ($"{text}; reported", null),
            };
        }

        foreach (var idle in Idles.GetValueOrDefault(ours.Name, []))
        {
            yield return ($"W5: {idle.BytesEach / 1024:0.0} KiB for each of {idle.Sessions} idle sessions, {idle.CpuPercent:0.0} % CPU; gate: at most {IdleLimitBytes / 1024:0} KiB, idle CPU below {IdleCpuPercent} %",
                idle.BytesEach <= IdleLimitBytes && idle.CpuPercent < IdleCpuPercent);
        }
    }

    private IEnumerable<Sample> Of(Peer peer, Work work) => Samples.Where(sample => sample.Peer == peer.Name && sample.Work == work.Id);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0) return double.NaN;
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
