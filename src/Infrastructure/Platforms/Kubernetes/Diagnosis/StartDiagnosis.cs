using System.Globalization;
using System.Text.RegularExpressions;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using static SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis.StartTexts;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>Why a driver does not start, in words that can be forwarded to whoever can help. Pure: facts in, a finding out.</summary>
internal static partial class StartDiagnosis
{
    /// <summary>Exit code of spark.driver.timeout.</summary>
    private const int TimeoutCode = 124;

    private const int OutOfMemoryCode = 137;
    public const string Again = "call getOrCreate() again for a new session";

    public static StartFinding Look(StartFacts facts)
    {
        if (facts.Application is not { } application || application.IsDeleting)
            return Final("application deleted", Error(facts, ErrorCode.StartFailed, Blame.Cluster, "will not start: somebody deleted its application", $"{You}: ask who cleans up namespace {facts.Name.Namespace}, or {Again}"));
        if (application.Phase == ApplicationPhase.Stopped)
            return Final("suspended", Error(facts, ErrorCode.StartFailed, Blame.Cluster, "will not start: somebody suspended its application", $"{You}: ask who did, or {Again}"));
        return facts.Pod is { } pod ? OfPod(facts, application, pod) : OfApplication(facts, application);
    }

    /// <summary>How a driver ended, without advice: for starts and for the end of one that was ready.</summary>
    public static string Describe(ContainerEnd end) => end switch
    {
        { Reason: "OOMKilled" } => string.Create(CultureInfo.InvariantCulture, $"killed because it used more memory than its pod has (OOMKilled, code {end.ExitCode})"),
        { ExitCode: TimeoutCode } => string.Create(CultureInfo.InvariantCulture, $"ended by spark.driver.timeout (code {end.ExitCode})"),
        { ExitCode: OutOfMemoryCode } => string.Create(CultureInfo.InvariantCulture, $"killed (code {end.ExitCode}){Shown.InBrackets(end.Message)}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"ended with code {end.ExitCode}{Shown.InBrackets(end.Message)}"),
    };

    private static StartFinding OfPod(StartFacts facts, ApplicationView application, DriverPod pod)
    {
        if (pod.Phase == "Failed" && pod.Reason.Length > 0) return Taken(facts, pod);
        if (pod.Ended is { } end) return Ended(facts, end);
        if (pod.Phase is "Failed" or "Succeeded") return Ended(facts, new ContainerEnd(pod.Phase == "Succeeded" ? 0 : 1, "", pod.Message));
        if (pod.IsDeleting) return Taken(facts, pod);
        if (pod.Waiting is { IsUsual: false } waiting) return Waits(facts, pod, waiting);
        if (pod.Unschedulable is { } words)
            return new StartFinding(StartTrouble.Unschedulable, $"no node has room for pod {pod.Key.Name}{Shown.InBrackets(words)}", Error(facts, ErrorCode.StartFailed, Blame.Cluster,
                $"does not start: no node of the cluster takes its pod{Shown.InBrackets(words)}", $"{ClusterTeam}: add room, or see why no node fits. {GatewayTeam}: or let {Profile(facts)} ask for less"));
        if (application.Phase == ApplicationPhase.Failed) return Final("failed", SubmissionFailure.Explain(facts, application.Message));
        if (pod.ContainerId is not null) return Progress($"pod {pod.Key.Name} runs, its driver does not answer yet");
        return Progress($"pod {pod.Key.Name} is {(pod.Node is null ? "waiting for a node" : $"being made on node {pod.Node}")}");
    }

    private static StartFinding OfApplication(StartFacts facts, ApplicationView application)
    {
        var isServer = application.Flavour == "spark-connect";
        if (application.Phase is ApplicationPhase.Failed or ApplicationPhase.Done)
        {
            if (EndInWords().Match(application.Message) is { Success: true } words)
                return Ended(facts, new ContainerEnd(int.Parse(words.Groups["code"].Value, CultureInfo.InvariantCulture), words.Groups["reason"].Value, ""));
            if (facts.HadPod || application.Message.Contains("driver pod not found", StringComparison.Ordinal)) return Gone(facts);
            if (application.Phase == ApplicationPhase.Done) return Ended(facts, new ContainerEnd(0, "", ""));
            return Final("submission failed", SubmissionFailure.Explain(facts, application.Message));
        }

        // The operator makes a new pod for a server by itself, and for an application that it runs again.
        if (facts.HadPod && !isServer && application.Phase != ApplicationPhase.Restarting) return Gone(facts);
        return Progress(application.Phase switch
        {
            ApplicationPhase.Pending => $"no Spark operator has taken up the application yet{(isServer ? ", or it may not make the pod (its own log says why)" : "")}",
            ApplicationPhase.Restarting => "the operator starts the application again",
            _ => $"the operator has not made the pod yet ({Shown.Words(application.State)})",
        });
    }

    private static StartFinding Waits(StartFacts facts, DriverPod pod, ContainerWait waiting)
    {
        var progress = $"pod {pod.Key.Name}: {waiting.Reason}{Shown.InBrackets(waiting.Message)}";
        var container = waiting.Container == PodTemplates.DriverContainer ? "" : $" for container {waiting.Container}";
        switch (waiting.Reason)
        {
            case "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "InvalidImageName" or "ImageInspectError" or "RegistryUnavailable":
                return new StartFinding(StartTrouble.Image, progress, Error(facts, ErrorCode.StartFailed, Blame.Gateway,
                    $"does not start: image {Shown.Words(waiting.Image)} cannot be pulled{container} ({waiting.Reason}: {Shown.Words(waiting.Message).TrimEnd('.')})",
                    $"{GatewayTeam}: correct image or image_pull_secrets in {Profile(facts)}, or push the image. {ClusterTeam}: see that nodes reach the registry"));
            case "CrashLoopBackOff":
                return Ended(facts, pod.LastEnd ?? new ContainerEnd(1, "", waiting.Message));
            default:
                return new StartFinding(StartTrouble.Configuration, progress, Error(facts, ErrorCode.StartFailed, Blame.Gateway,
                    $"does not start: its container cannot be made{container} ({waiting.Reason}: {Shown.Words(waiting.Message).TrimEnd('.')})",
                    $"{GatewayTeam}: a Secret, config map or volume that {Profile(facts)} names must be in namespace {facts.Name.Namespace}; the Secret with the session's name is the gateway's own to make"));
        }
    }

    private static StartFinding Ended(StartFacts facts, ContainerEnd end)
    {
        var what = $"was {Describe(end)} before it was ready".Replace("was ended", "ended", StringComparison.Ordinal);
        var advice = end switch
        {
            { Reason: "OOMKilled" } => $"{GatewayTeam}: raise driver_memory or driver_memory_overhead in {Profile(facts)}",
            { ExitCode: 0 } => $"{GatewayTeam}: the program of {Profile(facts)} must wait for ever, and did not",
            _ => $"{GatewayTeam}: the log below says why; look at image, program and spark_conf of {Profile(facts)}",
        };
        return Final($"driver {Describe(end)}", Error(facts, ErrorCode.StartFailed, Blame.Driver, what, advice));
    }

    /// <summary>The cluster took the pod away: its driver did nothing wrong.</summary>
    private static StartFinding Taken(StartFacts facts, DriverPod pod)
    {
        var why = $"{pod.Reason}{(pod.Reason.Length > 0 && pod.Message.Length > 0 ? ": " : "")}{pod.Message}";
        var isNodeLost = pod.Reason is "NodeLost" or "NodeShutdown" or "Terminated" or "DeletionByTaintManager"
            || pod.IsNodeSilent || facts.Events.Any(seen => seen.Reason is "NodeNotReady" or "TaintManagerEviction");
        var what = isNodeLost ? $"did not come up: its node {pod.Node ?? "(none)"} went away{Shown.InBrackets(why)}"
            : pod.Phase == "Failed" ? $"did not come up: the cluster ended its pod{Shown.InBrackets(why)}"
            : $"did not come up: its pod is being deleted{Shown.InBrackets(why)}";
        return Final("pod taken away", Error(facts, ErrorCode.StartFailed, Blame.Cluster, what,
            $"{You}: {Again}. {ClusterTeam}: if this goes on, see what {(isNodeLost ? "ends nodes" : "evicts or deletes pods")} there"));
    }

    private static StartFinding Gone(StartFacts facts) => Final("pod gone", Error(facts, ErrorCode.StartFailed, Blame.Cluster,
        "did not come up: its pod was deleted by somebody, or with its node", $"{You}: {Again}. {ClusterTeam}: if this goes on, see what deletes pods there"));

    private static StartFinding Final(string progress, GatewayError error) => new(StartTrouble.Final, progress, error);

    private static StartFinding Progress(string progress) => new(StartTrouble.None, progress, null);

    /// <summary>kubeflow's words for the end of a driver.</summary>
    [GeneratedRegex("driver container failed with ExitCode: (?<code>[0-9]{1,9})(, Reason: (?<reason>\\w+))?", RegexOptions.CultureInvariant)]
    private static partial Regex EndInWords();
}
