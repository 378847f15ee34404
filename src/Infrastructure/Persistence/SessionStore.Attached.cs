using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Attached sessions of drivers that a platform finds. Replicas find them at different times, so that only what is younger changes anything.</summary>
internal sealed partial class SessionStore : IAttachedStore
{
    public async Task<Result<IReadOnlyList<Session>>> AttachAsync(string platform, IReadOnlyList<FoundDriver> drivers, CancellationToken cancellation)
    {
        // The usual answer, without a turn that others would wait for: all of them are sessions already.
        var known = await store.ReadAsync(db => FoundAsync(db, platform, cancellation), cancellation);
        if (known.Error is not null || drivers.All(driver => known.Value.Any(session => session.RuntimeId == driver.RuntimeId))) return known;
        return await store.ChangeAsync<IReadOnlyList<Session>>(async db =>
        {
            await TakeTurnAsync(db, cancellation);
            foreach (var driver in drivers) await AttachFoundAsync(db, platform, driver, cancellation);
            return Change.Keep(await FoundAsync(db, platform, cancellation));
        }, cancellation);
    }

    private static async Task<IReadOnlyList<Session>> FoundAsync(GatewayDbContext db, string platform, CancellationToken cancellation)
    {
        var rows = await db.Sessions
            .Where(row => row.Kind == SessionKind.Attached && row.Platform == platform && row.State != SessionState.Ended)
            .OrderBy(row => row.Namespace).ThenBy(row => row.Name)
            .ToListAsync(cancellation);
        return [.. rows.Select(row => row.ToSession())];
    }

    private async Task AttachFoundAsync(GatewayDbContext db, string platform, FoundDriver driver, CancellationToken cancellation)
    {
        var newest = await db.Sessions
            .Where(row => row.Namespace == driver.Name.Namespace && row.Name == driver.Name.Name)
            .OrderByDescending(row => row.Incarnation)
            .FirstOrDefaultAsync(cancellation);
        if (newest is not null)
        {
            if (newest.State != SessionState.Ended && newest.Platform != platform) return;
            if (newest.Platform == platform && !IsYounger(driver, newest)) return;
            if (newest.State != SessionState.Ended)
                await EndRowAsync(db, db.Sessions, newest.Id, EndReason.Replaced, $"a younger driver has this name now, at {driver.Address}", Caller.Gateway, cancellation);
        }

        await AttachAsync(db, driver.Name, platform, driver.Address, driver, cancellation);
    }

    /// <summary>Than the recorded one. Times of the cluster have whole seconds, so that two of one second need an order of their own.</summary>
    private static bool IsYounger(FoundDriver driver, SessionRow recorded)
    {
        var order = driver.Since.ToUnixTimeMilliseconds().CompareTo(recorded.RuntimeSince ?? long.MinValue);
        return order > 0 || (order == 0 && string.CompareOrdinal(driver.RuntimeId, recorded.RuntimeId) > 0);
    }
}
