namespace SparkGateway.Campaign;

/// <summary>What so many idle sessions cost, each a client connection of its own: memory above the process that has served and has none, and CPU.</summary>
internal sealed record Idle(int Sessions, double BytesEach, double CpuPercent)
{
    /// <summary>Sessions that come and go one after the other before: what a process needs once is not a session's.</summary>
    private const int WarmUp = 5_000;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(8);

    /// <summary>On a process of its own: what earlier work has left behind would hide the growth.</summary>
    public static async Task<Idle> RunAsync(Peer peer, int sessions, string folder, CancellationToken stop)
    {
        await using var server = await Server.StartAsync(folder, peer.Name, peer.Program, peer.Arguments, peer.Port, stop);
        for (var i = 0; i < WarmUp; i++) Open(peer, 1, i, stop)[0].Dispose();
        await Task.Delay(Rest, TimeProvider.System, stop);
        var before = ProcessTree.ResidentBytes(server.Pids);
        var open = Open(peer, sessions, WarmUp, stop);
        try
        {
            await Task.Delay(Rest, TimeProvider.System, stop);
            var pids = server.Pids;
            var after = ProcessTree.ResidentBytes(pids);
            var cpu = ProcessTree.CpuSeconds(pids);
            await Task.Delay(Rest, TimeProvider.System, stop);
            return new Idle(sessions, (after - before) / sessions, (ProcessTree.CpuSeconds(pids) - cpu) / Rest.TotalSeconds * 100);
        }
        finally
        {
            foreach (var connection in open) connection.Dispose();
        }
    }

    private static List<RawConnection> Open(Peer peer, int count, int firstSession, CancellationToken stop)
    {
        var open = new List<RawConnection>(count);
        for (var i = 0; i < count; i++)
        {
            stop.ThrowIfCancellationRequested();
            var connection = RawConnection.Open(peer.Port);
            open.Add(connection);
            connection.Call(Messages.Make(Upstream.SmallBytes, firstSession + i));
        }

        return open;
    }
}
