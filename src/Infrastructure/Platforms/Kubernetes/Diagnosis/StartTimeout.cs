using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using static SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis.StartTexts;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>What a client reads of a start that failed in nothing but time: how far it came, and who knows why no further.</summary>
internal static class StartTimeout
{
    /// <param name="blind">Why the gateway may not have seen all of it; null: it has.</param>
    public static GatewayError Explain(StartFacts facts, int seconds, string? blind)
    {
        var finding = StartDiagnosis.Look(facts);
        if (blind is not null)
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"was not seen to be ready within {Limit(seconds)}: the gateway cannot watch its namespace now{Shown.InBrackets(blind)}. Last seen: {finding.Progress}",
                $"{GatewayTeam}: /readyz and the log say since when. {You}: call getOrCreate() again once that is mended");

        // A trouble in its grace says more than how long it has lasted.
        if (finding.Error is { } trouble) return trouble;
        if (facts is { Pod: null, Application.Phase: ApplicationPhase.Pending })
            return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"did not start within {Limit(seconds)}: {finding.Progress}",
                $"{ClusterTeam}: see that the Spark operator runs, and that it watches namespace {facts.Name.Namespace} (spark.jobNamespaces of its chart). {You}: call getOrCreate() again once it does");
        if (facts.Pod?.ContainerId is not null)
            return Error(facts, ErrorCode.StartFailed, Blame.Driver, $"was not ready within {Limit(seconds)}: {finding.Progress}",
                $"{GatewayTeam}: its log says how far it came; see whether its program opens the Spark Connect port, and raise spark_connect.start_limit_seconds if it is only slow");
        return Error(facts, ErrorCode.StartFailed, Blame.Cluster, $"was not ready within {Limit(seconds)}: {finding.Progress}",
            $"{ClusterTeam}: see what holds it up there. {You}: {StartDiagnosis.Again}");
    }

    /// <summary>There was no time in which its application could be made.</summary>
    public static GatewayError WithoutApplication(SessionName name, int seconds, string progress) => new(ErrorCode.StartFailed, Blame.Cluster,
        $"The application of Spark session {name}, or the Secret of its driver, could not be made within {Limit(seconds)}. Last seen: {progress.TrimEnd('.')}.");

    private static string Limit(int seconds) => $"{seconds} seconds (spark_connect.start_limit_seconds)";
}
