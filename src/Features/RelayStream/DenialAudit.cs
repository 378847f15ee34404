using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.RelayStream;

/// <summary>Refused calls go to the audit, one row for each peer and code a minute: a client that loops must not fill it.</summary>
internal sealed class DenialAudit(ISessionStore store, TimeProvider time)
{
    private const int MostEntries = 1_024;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock gate = new();
    private readonly Dictionary<(string Host, ErrorCode Code), Seen> seen = [];

    public async ValueTask RecordAsync(ClientSessionKey key, GatewayError error, Caller caller, CancellationToken cancellation, int count = 1)
    {
        if (error.Blame != Blame.Client || error.Code is ErrorCode.SessionChanged or ErrorCode.SessionClosed) return;
        if (CountOrTake(HostOf(caller.Address), error.Code, count) is not { } untold) return;
        var reason = untold == 0 ? error.Text : $"{error.Text} ({untold} more like it since the last record)";

        // A store that is down must not turn a clear refusal into another one.
        _ = await store.RecordDenialAsync(key, reason, caller, cancellation);
    }

    /// <summary>How many went unrecorded before this one, which is to be recorded; null: this one is only counted.</summary>
    private int? CountOrTake(string host, ErrorCode code, int count)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            if (seen.TryGetValue((host, code), out var entry) && time.GetElapsedTime(entry.At, now) < Window)
            {
                entry.Untold += count;
                return null;
            }

            if (entry is null && seen.Count >= MostEntries && !MakeRoom_NeedsLock(now)) return null;
            seen[(host, code)] = new Seen { At = now };
            return (entry?.Untold ?? 0) + count - 1;
        }
    }

    private bool MakeRoom_NeedsLock(long now)
    {
        foreach (var (peer, entry) in seen)
            if (time.GetElapsedTime(entry.At, now) >= Window) seen.Remove(peer);
        return seen.Count < MostEntries;
    }

    private static string HostOf(string address)
    {
        var colon = address.LastIndexOf(':');
        return colon > 0 ? address[..colon] : address;
    }

    private sealed class Seen
    {
        public required long At { get; init; }

        public int Untold { get; set; }
    }
}
