using System.Text.RegularExpressions;
using SparkGateway.Domain;
using static SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis.StartTexts;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>Why the operator could not make a driver's pod: it passes on all that spark-submit wrote, some kilobytes with one telling line.</summary>
internal static partial class SubmissionFailure
{
    /// <summary>The telling line: what the API server said, else the exception's own words, else the whole.</summary>
    public static string Line(string message)
    {
        var server = ServerWords().Match(message);
        if (server.Success) return Shown.Words(server.Groups["words"].Value);
        var thrown = Thrown().Match(message);
        return Shown.Words(thrown.Success ? thrown.Groups["words"].Value : message);
    }

    public static GatewayError Explain(StartFacts facts, string message)
    {
        var line = Line(message);
        var quote = line.TrimEnd('.');
        if (Quota().Match(line) is { Success: true } quota)
            return Error(facts, ErrorCode.ResourceExhausted, Blame.Cluster, $"may not start: quota {quota.Groups["name"].Value} of namespace {facts.Name.Namespace} is used up ({quota.Groups["figures"].Value.TrimEnd('.')})",
                $"{You}: stop a session of the team that nobody uses, and call getOrCreate() again. {NamespaceOwner}: raise the quota, or let {Profile(facts)} ask for less");
        if (Account().Match(line) is { Success: true } account)
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"cannot be made: service account {account.Groups["name"].Value} is not in namespace {facts.Name.Namespace}",
                $"{NamespaceOwner}: create it, with a role that may manage pods, services and config maps. {GatewayTeam}: or name another as service_account in {Profile(facts)}");
        if (line.Contains("admission webhook", StringComparison.Ordinal) || line.Contains("violates PodSecurity", StringComparison.Ordinal) || line.Contains("ValidatingAdmissionPolicy", StringComparison.Ordinal))
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"was refused by a rule of the cluster: {quote}",
                $"{GatewayTeam}: change {Profile(facts)} so that it keeps the rule. {ClusterTeam}: or change the rule");
        if (Rights().Match(line) is { Success: true } rights)
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"cannot be made: the Spark operator lacks a right ({rights.Value})",
                $"{ClusterTeam}: give the operator's service account that right in namespace {facts.Name.Namespace}");
        if (line.Contains("is forbidden", StringComparison.Ordinal))
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"was refused by the cluster: {quote}",
                $"{NamespaceOwner}: lift that limit. {GatewayTeam}: or let {Profile(facts)} stay within it");
        if (line.Contains("driver pod already exist", StringComparison.Ordinal))
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, "could not be submitted: a pod of its name is still there",
                $"{You}: call getOrCreate() again for a new session, which has another name");
        return Error(facts, ErrorCode.StartFailed, Blame.Gateway, $"could not be submitted: {quote}", $"{GatewayTeam}: correct {Profile(facts)}");
    }

    [GeneratedRegex("Message: (?<words>.+?)(\\. Received status:|\\n|\\z)", RegexOptions.CultureInvariant)]
    private static partial Regex ServerWords();

    [GeneratedRegex("(Exception in thread \"[^\"]*\" |Caused by: )(?<words>[^\\n]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Thrown();

    [GeneratedRegex("exceeded quota: (?<name>[^,\\s]+), (?<figures>.+)", RegexOptions.CultureInvariant)]
    private static partial Regex Quota();

    [GeneratedRegex("error looking up service account [^/\\s]+/(?<name>[^:\\s]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Account();

    [GeneratedRegex("User \"[^\"]+\" cannot [^\\n]+", RegexOptions.CultureInvariant)]
    private static partial Regex Rights();
}
