using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Why a driver that was ready is no more, in words for its users.</summary>
internal static class DriverEnds
{
    /// <summary>Is what the watch shows an end, or may it only be behind?</summary>
    public static bool IsCertain(DriverPod before, DriverPod? last) => last is not null
        && (last.IsDeleting || last.Phase is "Failed" or "Succeeded" || last.Restarts > before.Restarts || (last.Ended is not null && last.Restarts == before.Restarts));

    /// <param name="last">The driver's pod now; null: it is gone.</param>
    public static (EndReason Reason, string Detail) Explain(LiveDriver driver, DriverPod? last) =>
        (driver.Kind == SessionKind.Attached ? EndReason.Replaced : IsTakenAway(last) ? EndReason.Lost : EndReason.Crashed, Words(driver.Pod, last));

    /// <summary>By somebody, or by the cluster: the driver did nothing wrong. Of a container that ended by itself the pod as a whole gives no reason.</summary>
    private static bool IsTakenAway(DriverPod? last) =>
        last is null or { IsDeleting: true, Ended: null } or { IsDeleting: true, Reason.Length: > 0 } or { Phase: "Failed", Reason.Length: > 0 } or { Phase: "Unknown" };

    private static string Words(DriverPod before, DriverPod? last) => last switch
    {
        null => $"somebody deleted its pod {before.Key}",
        { Reason: "Evicted" } => $"pod {before.Key} was evicted: {Shown.Words(last.Message)}",
        { IsDeleting: true } when last.IsNodeSilent || last.Reason == "NodeLost" => $"node {last.Node} of pod {before.Key} cannot be reached any more",
        { IsDeleting: true, Reason.Length: > 0 } or { Phase: "Failed", Reason.Length: > 0 } => $"the cluster took its pod {before.Key} away: {Shown.Words($"{last.Reason} {last.Message}")}",
        { Ended: { } end } => End(end, before),
        { LastEnd: { } end } when last.ContainerId != before.ContainerId => $"{End(end, before)}; the container was started again, without its sessions",
        { IsDeleting: true } => $"somebody deleted its pod {before.Key}",
        { Phase: "Failed" } => $"pod {before.Key} failed: {Shown.Words(last.Message)}",
        { Phase: "Unknown" } => $"node {last.Node} of pod {before.Key} cannot be reached",
        _ => $"pod {before.Key} takes no calls any more: {last.NoRoute}",
    };

    private static string End(ContainerEnd end, DriverPod before) => $"in pod {before.Key} it was {StartDiagnosis.Describe(end)}".Replace("was ended", "ended", StringComparison.Ordinal);
}
