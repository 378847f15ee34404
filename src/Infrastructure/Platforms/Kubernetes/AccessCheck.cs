using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>What is known of the rights of the gateway's account.</summary>
/// <param name="IsReviewed">There was an answer, or there will never be one.</param>
/// <param name="HadAll">None was known to be missing at least once.</param>
internal sealed record AccessState(bool IsReviewed, bool HadAll, IReadOnlyList<AccessGap> Gaps);

/// <summary>Which of the rights that sessions need the gateway's account does not have: asked at the start and now and then.</summary>
internal sealed partial class AccessCheck(IKubeApi api, ClusterView cluster, GatewayOptions options, TimeProvider time, ILogger<AccessCheck> logger)
{
    private AccessState state = new(IsReviewed: false, HadAll: false, []);
    private HashSet<string> told = [];
    private bool isUnknown;

    public AccessState State => Volatile.Read(ref state);

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var review = await api.ReviewAccessAsync(Rules(), cancellation);
            if (review.TryGet(out var found, out var error)) Take(found);
            else TakeUnreviewed(error);
            var seconds = found is { Count: 0 } ? options.Kubernetes.AccessReviewSeconds : options.Kubernetes.AccessRetrySeconds;
            await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancellation);
        }
    }

    private void Take(IReadOnlyList<AccessGap> found)
    {
        foreach (var gap in found)
            if (!told.Contains(gap.Text)) LogGap(gap.Text);
        if (found.Count == 0 && (told.Count > 0 || isUnknown)) LogComplete();
        told = [.. found.Select(gap => gap.Text)];
        isUnknown = false;
        Volatile.Write(ref state, new AccessState(IsReviewed: true, State.HadAll || found.Count == 0, found));
    }

    /// <summary>What was known stays. A cluster that lets nobody ask is no reason to serve nobody; any other failure passes.</summary>
    private void TakeUnreviewed(KubeError error)
    {
        if (!isUnknown) LogUnreviewed(error.Error.Text);
        isUnknown = true;
        if (error.Failure == KubeFailure.Forbidden && !State.IsReviewed) Volatile.Write(ref state, new AccessState(IsReviewed: true, HadAll: true, []));
    }

    private List<AccessRule> Rules() =>
    [
        .. cluster.Flavours.Select(flavour => new AccessRule(flavour.Kind.Group, flavour.Kind.Plural, "get", "list", "watch", "create", "delete")),
        new AccessRule("", "pods", "get", "list", "watch"),
        new AccessRule("", "pods/log", "get"),
        new AccessRule("", "events", "list"),
        new AccessRule("", "secrets", "create"),
    ];

    [LoggerMessage(3065, LogLevel.Error, "A right on the cluster is missing: {Gap}")]
    private partial void LogGap(string gap);

    [LoggerMessage(3066, LogLevel.Warning, "The gateway's rights on the cluster could not be reviewed: {Reason}")]
    private partial void LogUnreviewed(string reason);

    [LoggerMessage(3069, LogLevel.Information, "The gateway has all the rights on the cluster that it needs")]
    private partial void LogComplete();
}
