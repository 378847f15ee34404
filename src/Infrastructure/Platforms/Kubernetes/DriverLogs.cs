using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>What drivers wrote, as their nodes keep it: until their pod is deleted.</summary>
internal sealed class DriverLogs(IKubeApi api, ClusterView cluster, IDriverTokens tokens) : IDriverLogs
{
    public async Task<Result<IReadOnlyList<string>>> TailAsync(Session session, int lines, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (session.Kind == SessionKind.Attached) return Missing(session, "is attached: its driver belongs to somebody else, who has its log.");
        var application = cluster.Applications.FirstOrDefault(view => view.SessionId == session.Id);
        if (application is null || cluster.PodOf(application.Uid) is not { } pod)
            return Missing(session, "has no pod now, and with the pod its log is gone; a cluster that collects logs may have it.");

        var read = await api.LogTailAsync(pod.Key, cluster.FlavourOf(application).DriverContainer, lines, previous: false, cancellation);
        if (!read.TryGet(out var text, out var error)) return error.Error;
        return Result<IReadOnlyList<string>>.Ok([.. Lines(text, session.Id)]);
    }

    /// <summary>For errors; empty where there is none, or none to be had.</summary>
    public async Task<string> TailOrNothingAsync(DriverPod pod, int lines, bool previous, CancellationToken cancellation)
    {
        if (pod.OwnerUid is not { } owner || cluster.Application(owner) is not { } application) return "";
        var read = await api.LogTailAsync(pod.Key, cluster.FlavourOf(application).DriverContainer, lines, previous, cancellation);
        return read.TryGet(out var text, out _) ? string.Join('\n', Lines(text, application.SessionId)) : "";
    }

    private IEnumerable<string> Lines(string text, Guid? sessionId)
    {
        var mask = new SecretMask(sessionId is { } id ? tokens.ForOnDemand(id) : null);
        return text.Split('\n').Select(line => mask.HideAll(line.TrimEnd('\r'))).SkipLast(text.EndsWith('\n') ? 1 : 0);
    }

    private static GatewayError Missing(Session session, string why) => new(ErrorCode.NoSuchSession, Blame.Client, $"Session {session.Name} {why}");
}
