using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>A line of `kubectl get events`.</summary>
internal sealed record PodEvent(DateTimeOffset? At, bool IsWarning, string Reason, string Message);

/// <summary>What is known of a driver that starts.</summary>
/// <param name="Application">Null: it is gone.</param>
/// <param name="Pod">Null: there is none, or none any more.</param>
/// <param name="HadPod">A pod was seen earlier in this start.</param>
/// <param name="Events">The pod's, or the application's while there is no pod; oldest first.</param>
/// <param name="LogTail">The driver container's last lines, without secrets.</param>
internal sealed record StartFacts(
    SessionName Name,
    ApplicationView? Application,
    DriverPod? Pod,
    bool HadPod,
    IReadOnlyList<PodEvent> Events,
    string LogTail);

/// <summary>How long each trouble may last before a start is given up: some pass by themselves.</summary>
internal sealed record StartGraces(TimeSpan Unschedulable, TimeSpan Image, TimeSpan Configuration);

internal enum StartTrouble
{
    None,
    Unschedulable,
    Image,
    Configuration,

    /// <summary>It does not pass: there is no grace.</summary>
    Final,
}

/// <param name="Progress">How far it is, for logs and for the text of a timeout.</param>
/// <param name="Error">What the trouble means for the user if it lasts; null: there is none.</param>
internal sealed record StartFinding(StartTrouble Trouble, string Progress, GatewayError? Error);

/// <param name="Progress">How far it is, for logs and for the text of a timeout.</param>
/// <param name="Failure">Null: it may still come up.</param>
internal sealed record StartVerdict(string Progress, GatewayError? Failure);
