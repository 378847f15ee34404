using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Which of the rights that sessions need the gateway's account does not have: asked at the start and now and then.</summary>
internal sealed partial class AccessCheck(IKubeApi api, ClusterView cluster, GatewayOptions options, TimeProvider time, ILogger<AccessCheck> logger)
{
    private IReadOnlyList<AccessGap> gaps = [];
    private HashSet<string> told = [];

    public IReadOnlyList<AccessGap> Gaps => Volatile.Read(ref gaps);

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Kubernetes.AccessReviewSeconds), time);
        do
        {
            var review = await api.ReviewAccessAsync(Rules(), cancellation);
            if (review.TryGet(out var found, out var error)) Take(found);
            else LogUnreviewed(error.Error.Text);
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    private void Take(IReadOnlyList<AccessGap> found)
    {
        foreach (var gap in found)
            if (!told.Contains(gap.Text)) LogGap(gap.Text);
        told = [.. found.Select(gap => gap.Text)];
        Volatile.Write(ref gaps, found);
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
}
