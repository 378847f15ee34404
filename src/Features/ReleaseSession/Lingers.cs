using System.Collections.Concurrent;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.ReleaseSession;

/// <summary>Drivers whose last client session was released: each lives on for the linger time, counted from the latest release.</summary>
internal sealed class Lingers(SessionEnder ender, TrackedTasks tasks, FeatureOptions options, TimeProvider time)
{
    // The value is the latest release: an older timer that comes later finds another one and does nothing.
    private readonly ConcurrentDictionary<Guid, object> latest = new();

    public void Restart(Session session)
    {
        var release = new object();
        latest[session.Id] = release;
        tasks.Start($"linger of {session.Name}", stopping => LingerAsync(session, release, stopping));
    }

    private async Task LingerAsync(Session session, object release, CancellationToken stopping)
    {
        await Task.Delay(options.ReleaseLinger, time, stopping);
        if (!latest.TryRemove(new KeyValuePair<Guid, object>(session.Id, release))) return;
        await StorePatience.InsistAsync(
            () => ender.EndAsync(session.Id, EndReason.Released, "", onlyWithoutBindings: true, Caller.Gateway, "", CancellationToken.None),
            time, stopping);
    }
}
