using System.Text.Json;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>What the cluster has to say about a start that failed. Best effort: an error without it is better than none.</summary>
internal sealed class StartEvidence(IKubeApi api, DriverLogs logs)
{
    private const int MostEvents = 20;
    private const int TailLines = 20;

    /// <summary>The last events of the object with that uid, oldest first.</summary>
    public async Task<IReadOnlyList<PodEvent>> EventsAsync(string uid, string inNamespace, CancellationToken cancellation)
    {
        var read = await api.ListAsync(ResourceKind.Events, inNamespace, labels: null, fields: $"involvedObject.uid={uid}", cancellation);
        return read.TryGet(out var events, out _) ? [.. events.Select(Event).OrderBy(one => one.At).TakeLast(MostEvents)] : [];
    }

    public Task<string> LogTailAsync(DriverPod pod, CancellationToken cancellation) =>
        logs.TailOrNothingAsync(pod, TailLines, previous: pod.Ended is null && pod.LastEnd is not null, cancellation);

    private static PodEvent Event(KubeObject one) => new(
        Time(one.Json, "lastTimestamp") ?? Time(one.Json, "eventTime") ?? one.CreatedAt,
        Text(one.Json, "type") == "Warning",
        Text(one.Json, "reason"),
        Text(one.Json, "message"));

    private static string Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static DateTimeOffset? Time(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time : null;
}
