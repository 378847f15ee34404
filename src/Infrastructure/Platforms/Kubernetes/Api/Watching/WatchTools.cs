using Microsoft.Extensions.Logging;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

/// <summary>What is watched, but for the namespace.</summary>
internal sealed record WatchScope(ResourceKind Kind, string? Labels);

/// <summary>What every watch works with.</summary>
internal sealed partial class WatchTools(KubeTransport transport, KubeLists lists, KubeLimits limits, TimeProvider time, ILogger<WatchTools> logger)
{
    public KubeTransport Transport => transport;

    public KubeLists Lists => lists;

    public KubeLimits Limits => limits;

    public TimeProvider Time => time;

    [LoggerMessage(3310, LogLevel.Information, "Able to {Subject}: {Count} objects")]
    public partial void LogSynced(KubeSubject subject, int count);

    [LoggerMessage(3311, LogLevel.Warning, "No longer able to {Subject}; trying again in {Seconds:F1} s: {Why}")]
    public partial void LogFailed(KubeSubject subject, double seconds, string why);

    [LoggerMessage(3312, LogLevel.Debug, "Listing anew before the next {Subject}: {Why}")]
    public partial void LogRelisted(KubeSubject subject, string why);

    [LoggerMessage(3313, LogLevel.Error, "{Key} is not of the form of its kind and is passed over: {Why}")]
    public partial void LogUnreadable(ObjectKey key, string why);
}
