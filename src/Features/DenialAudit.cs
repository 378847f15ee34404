using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>
/// Refused calls go to the audit, one row for each peer and code a minute: a client that loops must not fill it. The first is
/// written at once; those that follow within the minute are counted and written as one at its end.
/// </summary>
internal sealed class DenialAudit(ISessionStore store, TrackedTasks tasks, TimeProvider time)
{
    private const int MostEntries = 1_024;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock gate = new();
    private readonly Dictionary<Peer, Seen> seen = [];
    private bool isCounting;

    private sealed record Peer(string Host, ErrorCode Code, string? Operator);

    /// <param name="request">Method and path of a request to the admin API; null: Spark Connect.</param>
    public async ValueTask RecordAsync(ClientSessionKey? key, GatewayError error, Caller caller, CancellationToken cancellation, int count = 1, string? request = null)
    {
        // That a session has ended is news to its client, and no refusal; an operator asked for something.
        if (error.Blame != Blame.Client || (request is null && error.Code is ErrorCode.SessionChanged or ErrorCode.SessionClosed)) return;
        var denial = new Denial(key, error.Code, error.Text, count, caller, request);

        // A store that is down must not turn a clear refusal into another one.
        if (IsFirst(denial)) _ = await store.RecordDenialAsync(denial, cancellation);
    }

    /// <summary>False: it is only counted.</summary>
    private bool IsFirst(Denial denial)
    {
        var peer = new Peer(HostOf(denial.Caller.Address), denial.Code, denial.Request is null ? null : denial.Caller.User);
        var now = time.GetTimestamp();
        lock (gate)
        {
            if (seen.TryGetValue(peer, out var entry) && (entry.Untold > 0 || time.GetElapsedTime(entry.At, now) < Window))
            {
                entry.Untold += denial.Calls;
                entry.Last = denial;
                if (isCounting) return false;
                isCounting = true;
                tasks.Start("counts of refused calls", TellCountsAsync);
                return false;
            }

            if (entry is null && seen.Count >= MostEntries && !MakeRoom_NeedsLock(now)) return false;
            seen[peer] = new Seen { At = now, Last = denial };
            return true;
        }
    }

    /// <summary>Runs while there are counts to tell; a stop tells them early.</summary>
    private async Task TellCountsAsync(CancellationToken stopping)
    {
        while (TakeDue(stopping.IsCancellationRequested) is { } due)
        {
            foreach (var denial in due)
            {
                var told = await store.RecordDenialAsync(denial, CancellationToken.None);
                if (!told.IsOk && stopping.IsCancellationRequested) return;
            }

            // The earliest entry decides when to look again; a stop looks at once.
            await Task.Delay(NextLook(), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Null: nothing is counted any more.</summary>
    private List<Denial>? TakeDue(bool all)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            var due = new List<Denial>();
            var isAnyLeft = false;
            foreach (var entry in seen.Values.Where(entry => entry.Untold > 0))
            {
                if (all || time.GetElapsedTime(entry.At, now) >= Window)
                {
                    due.Add(entry.Last with { Calls = entry.Untold });
                    (entry.Untold, entry.At) = (0, now);
                }
                else
                {
                    isAnyLeft = true;
                }
            }

            isCounting = isAnyLeft || due.Count > 0;
            return isCounting ? due : null;
        }
    }

    private TimeSpan NextLook()
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            var waiting = seen.Values.Where(entry => entry.Untold > 0).Select(entry => Window - time.GetElapsedTime(entry.At, now)).DefaultIfEmpty(TimeSpan.Zero).Min();
            return waiting > TimeSpan.Zero ? waiting : TimeSpan.Zero;
        }
    }

    private bool MakeRoom_NeedsLock(long now)
    {
        foreach (var (peer, entry) in seen)
            if (entry.Untold == 0 && time.GetElapsedTime(entry.At, now) >= Window) seen.Remove(peer);
        return seen.Count < MostEntries;
    }

    private static string HostOf(string address)
    {
        var colon = address.LastIndexOf(':');
        return colon > 0 ? address[..colon] : address;
    }

    private sealed class Seen
    {
        /// <summary>When a row was last written.</summary>
        public required long At { get; set; }

        public required Denial Last { get; set; }

        public int Untold { get; set; }
    }
}
