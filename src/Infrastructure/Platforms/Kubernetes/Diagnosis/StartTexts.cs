using System.Globalization;
using System.Text;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>What a client reads of a driver that does not start: what is wrong, whose move it is, what to do; then where, for whoever it is forwarded to.</summary>
internal static class StartTexts
{
    public const string ClusterTeam = "For the team that runs the cluster";
    public const string GatewayTeam = "For the team that runs this gateway";
    public const string NamespaceOwner = "For whoever manages the namespace";
    public const string You = "For you";

    private const int ShownEvents = 3;
    private const int LongestEvent = 200;
    private const int LongestLog = 800;

    /// <param name="what">A sentence's rest, after "The driver of Spark session X ".</param>
    /// <param name="advice">Who is to do what.</param>
    public static GatewayError Error(StartFacts facts, ErrorCode code, Blame blame, string what, string advice)
    {
        var text = new StringBuilder($"The driver of Spark session {facts.Name} {what}. {advice}.");
        text.Append('\n').Append(Where(facts));
        // A failed submission is told from the application's state, with the telling line only.
        var events = facts.Events.Where(shown => shown.IsWarning && shown.Reason != "SparkApplicationSubmissionFailed").TakeLast(ShownEvents).ToList();
        if (events.Count > 0) text.Append("\nLast warnings:");
        foreach (var warning in events)
            text.Append(CultureInfo.InvariantCulture, $"\n  {warning.At?.UtcDateTime:HH:mm:ss} {warning.Reason}: {Shown.Words(warning.Message, LongestEvent)}");
        var log = facts.LogTail.Trim();
        if (log.Length > 0) text.Append("\nThe last lines of its log:\n").Append(log.Length > LongestLog ? log[^LongestLog..] : log);
        return new GatewayError(code, blame, text.ToString());
    }

    public static string Profile(StartFacts facts) =>
        facts.Application?.Profile is { Length: > 0 } profile ? $"kubernetes.profiles[{Shown.Words(profile)}]" : "its profile in kubernetes.profiles";

    private static string Where(StartFacts facts)
    {
        var kind = facts.Application?.Flavour == "spark-connect" ? "SparkConnect" : "SparkApplication";
        var where = new StringBuilder($"{kind} {facts.Name}");
        if (facts.Application?.State is { Length: > 0 } state) where.Append(CultureInfo.InvariantCulture, $" is {Shown.Words(state)}");
        if ((facts.Pod?.Key.Name ?? facts.Application?.PodName) is { } pod) where.Append(CultureInfo.InvariantCulture, $", pod {pod}");
        if (facts.Pod?.Node is { } node) where.Append(CultureInfo.InvariantCulture, $" on node {node}");
        if (facts.Application?.Profile is { Length: > 0 } profile) where.Append(CultureInfo.InvariantCulture, $", profile {Shown.Words(profile)}");
        return where.Append('.').ToString();
    }
}
