using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Counts on-demand sessions against their limits. Right only under the turn, since a count locks nothing.</summary>
internal static class SessionQuota
{
    private const int MostHoldersShown = 10;
    private const int LongestUserShown = 64;

    private sealed record Holder(string? User, int Sessions);

    /// <param name="opener">Null: a session that no user has claimed yet, which counts against the total only.</param>
    public static async Task<GatewayError?> RefuseAsync(GatewayDbContext db, string? opener, SessionLimits limits, CancellationToken cancellation)
    {
        var holders = await db.Sessions
            .Where(row => row.Kind == SessionKind.OnDemand && row.State != SessionState.Ended)
            .GroupBy(row => row.OpenedBy)
            .Select(group => new Holder(group.Key, group.Count()))
            .ToListAsync(cancellation);

        var own = holders.Where(holder => holder.User == opener).Sum(holder => holder.Sessions);
        if (opener is not null && own >= limits.MaxPerUser)
        {
            return Refusal($"User {Show(opener)} holds {own} Spark sessions and may hold {limits.MaxPerUser}. "
                + "End one that is not needed (spark.stop() in its client) or wait until an idle one ends; the operator can raise spark_connect.on_demand.max_per_user.");
        }

        var total = holders.Sum(holder => holder.Sessions);
        return total < limits.MaxSessions ? null : Refusal($"All {limits.MaxSessions} Spark sessions of this gateway are taken: {List(holders)}. "
            + "End one that is not needed (spark.stop() in its client) or wait until an idle one ends; the operator can raise spark_connect.on_demand.max_sessions.");
    }

    private static GatewayError Refusal(string text) => new(ErrorCode.ResourceExhausted, Blame.Client, text);

    private static string List(List<Holder> holders)
    {
        var shown = holders
            .OrderByDescending(holder => holder.Sessions)
            .ThenBy(holder => holder.User, StringComparer.Ordinal)
            .Take(MostHoldersShown)
            .Select(holder => $"{Show(holder.User)} holds {holder.Sessions}");
        var rest = holders.Count - MostHoldersShown;
        return string.Join(", ", shown) + (rest > 0 ? $", and {rest} more users" : "");
    }

    private static string Show(string? user) => string.IsNullOrEmpty(user) ? "(no user)" : ColumnWord.Clean(user, LongestUserShown);
}
