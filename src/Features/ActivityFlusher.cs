using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>Writes down, in one batch, which sessions of this replica were used since the last time. Calls themselves write nothing.</summary>
public sealed class ActivityFlusher(ISessionStore store, IRouteTable table, FeatureOptions options) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);

    // What the store knows: the counters of each route as they were written last.
    private Dictionary<Route, Seen> written = [];

    public async Task<Result<bool>> FlushAsync(CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        try
        {
            var next = new Dictionary<Route, Seen>();
            var used = new List<SessionActivity>();
            foreach (var route in table.Routes)
            {
                var (before, open) = (written.GetValueOrDefault(route), route.OpenCalls);
                var now = new Seen(route.CallsEnded, route.CallsBroken);
                next[route] = now;
                if (open > 0 || now != before) used.Add(new SessionActivity(route.Session.Id, IsBusy: open > 0 || now.Broken != before.Broken));
            }

            var recorded = used.Count == 0 ? true : await store.RecordActivityAsync(used, options.BusyGrace, cancellation);

            // What could not be written is written the next time.
            if (recorded.IsOk) written = next;
            return recorded;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private readonly record struct Seen(long Ended, long Broken);
}
