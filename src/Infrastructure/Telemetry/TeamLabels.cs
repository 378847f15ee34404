using System.Collections.Concurrent;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>Team and environment of a session as labels.</summary>
internal readonly record struct TeamTags(KeyValuePair<string, object?> Team, KeyValuePair<string, object?> Environment)
{
    public TeamTags(string team, string environment)
        : this(new KeyValuePair<string, object?>("team", team), new KeyValuePair<string, object?>("environment", environment))
    {
    }
}

/// <summary>
/// Which pairs of team and environment are labels: the first so many that had a session. Where any team may open sessions a
/// client could otherwise make as many series as it can think of names.
/// </summary>
internal sealed class TeamLabels
{
    public const int Most = 100;

    /// <summary>All pairs beyond; there from the start, so that each metric has a series before the first session.</summary>
    public static readonly TeamTags Other = new("other", "other");

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<(string Team, string Environment), TeamTags> known = new();

    public IEnumerable<TeamTags> Known => known.Values.Append(Other);

    public TeamTags Of(Session session)
    {
        var pair = (session.Team ?? "none", session.Environment ?? "none");
        if (known.TryGetValue(pair, out var tags)) return tags;
        lock (gate) return known.Count < Most || known.ContainsKey(pair) ? known.GetOrAdd(pair, static pair => new TeamTags(pair.Team, pair.Environment)) : Other;
    }
}
