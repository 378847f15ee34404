using System.Text.Json.Nodes;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>How the end of a driver that was ready is told from a watch that is late, and in which words.</summary>
public sealed class DriverEndsTests
{
    private const string Key = "sjns-data-control/spark-connect-data-running-driver";

    private static readonly DriverPod Before = Sample.Of("running").Pod!;

    /// <summary>What the pod of a running driver became, the reason, and the words.</summary>
    public static TheoryData<string, EndReason, string> Ends => new()
    {
        // By somebody, or by the cluster.
        { """{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}}""", EndReason.Lost, $"somebody deleted its pod {Key}" },
        { """{"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.\nThreshold: 100Mi"}}""", EndReason.Lost, $"pod {Key} was evicted: The node was low on resource: memory. Threshold: 100Mi" },
        { """{"status": {"phase": "Failed", "reason": "Evicted", "message": "low", "ended": {"exitCode": 137, "reason": "Error"}}}""", EndReason.Lost, $"pod {Key} was evicted: low" },
        { """{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}, "status": {"reason": "NodeLost"}}""", EndReason.Lost, $"node node-1 of pod {Key} cannot be reached any more" },
        { """{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}, "status": {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "made room for \u001b[31mx"}]}}""", EndReason.Lost, $"the cluster took its pod {Key} away: PreemptionByScheduler made room for ?[31mx" },
        { """{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}, "status": {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}], "ended": {"exitCode": 143}}}""", EndReason.Lost, $"the cluster took its pod {Key} away: EvictionByEvictionAPI" },
        { """{"status": {"phase": "Failed", "reason": "Terminated", "message": "Pod was terminated in response to imminent node shutdown.", "ended": {"exitCode": 143}}}""", EndReason.Lost, $"the cluster took its pod {Key} away: Terminated Pod was terminated in response to imminent node shutdown." },
        { """{"status": {"phase": "Unknown"}}""", EndReason.Lost, $"node node-1 of pod {Key} cannot be reached" },
        // By the driver itself.
        { """{"status": {"ended": {"exitCode": 137, "reason": "OOMKilled"}}}""", EndReason.Crashed, $"in pod {Key} it was killed because it used more memory than its pod has (OOMKilled, code 137)" },
        { """{"status": {"phase": "Failed", "ended": {"exitCode": 7, "reason": "Error", "message": "Boom."}}}""", EndReason.Crashed, $"in pod {Key} it ended with code 7 (Boom)" },
        { """{"status": {"phase": "Failed", "ended": {"exitCode": 124}}}""", EndReason.Crashed, $"in pod {Key} it ended by spark.driver.timeout (code 124)" },
        { """{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}, "status": {"ended": {"exitCode": 137, "reason": "OOMKilled"}}}""", EndReason.Crashed, $"in pod {Key} it was killed because it used more memory than its pod has (OOMKilled, code 137)" },
        { """{"status": {"containerStatuses": [{"name": "spark-kubernetes-driver", "restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 5}}}]}}""", EndReason.Crashed, $"in pod {Key} it ended with code 5; the container was started again, without its sessions" },
        { """{"status": {"phase": "Failed", "message": "nobody knows"}}""", EndReason.Crashed, $"pod {Key} failed: nobody knows" },
        { """{"status": {"phase": "Pending"}}""", EndReason.Crashed, $"pod {Key} takes no calls any more: its phase is Pending" },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public void Explain_PodOfADriver_ReasonAndWords(string change, EndReason reason, string words) =>
        Assert.Equal((reason, words), DriverEnds.Explain(Driver(SessionKind.OnDemand), Changed(change)));

    [Theory]
    [MemberData(nameof(Ends))]
    public void Explain_AttachedDriver_IsReplacedInTheSameWords(string change, EndReason reason, string words)
    {
        Assert.NotEqual(EndReason.Replaced, reason);
        Assert.Equal((EndReason.Replaced, words), DriverEnds.Explain(Driver(SessionKind.Attached), Changed(change)));
    }

    [Fact]
    public void Explain_PodIsGone_WasTakenAway()
    {
        Assert.Equal((EndReason.Lost, $"somebody deleted its pod {Key}"), DriverEnds.Explain(Driver(SessionKind.OnDemand), null));
        Assert.Equal((EndReason.Replaced, $"somebody deleted its pod {Key}"), DriverEnds.Explain(Driver(SessionKind.Attached), null));
    }

    [Theory]
    [InlineData("""{"metadata": {"deletionTimestamp": "2026-11-28T02:40:00Z"}}""", true)]
    [InlineData("""{"status": {"phase": "Failed"}}""", true)]
    [InlineData("""{"status": {"phase": "Succeeded"}}""", true)]
    [InlineData("""{"status": {"ended": {"exitCode": 0}}}""", true)]
    [InlineData("""{"status": {"containerStatuses": [{"name": "spark-kubernetes-driver", "restartCount": 1, "state": {"running": {}}}]}}""", true)]
    [InlineData("""{"status": {"phase": "Pending"}}""", false)]
    [InlineData("""{"status": {"phase": "Unknown"}}""", false)]
    [InlineData("{}", false)]
    public void IsCertain_OnlyWhatNoLateWatchCouldShow(string change, bool isCertain) =>
        Assert.Equal(isCertain, DriverEnds.IsCertain(Before, Changed(change)));

    [Fact]
    public void IsCertain_WatchThatIsBehind_IsNot()
    {
        // The run before the one that calls go to.
        Assert.False(DriverEnds.IsCertain(Before with { Restarts = 1 }, Changed("""{"status": {"ended": {"exitCode": 5}}}""")));
        Assert.False(DriverEnds.IsCertain(Before, null));
    }

    private static LiveDriver Driver(SessionKind kind) => new(Guid.NewGuid(), kind, new SessionName("ns", "app"), Before.OwnerUid!, Before);

    /// <summary>The pod with these parts of its metadata and status; "ended" stands for the end of its driver's container.</summary>
    private static DriverPod Changed(string parts) => DriverPod.Parse(
        Sample.Change(Sample.Of("running").PodObject, pod =>
        {
            foreach (var (section, part) in JsonNode.Parse(parts)!.AsObject())
                foreach (var (name, value) in part!.AsObject())
                    if (name == "ended") pod["status"]!["containerStatuses"]![0]!["state"] = new JsonObject { ["terminated"] = value!.DeepClone() };
                    else pod[section]![name] = value!.DeepClone();
        }),
        PodTemplates.DriverContainer);
}
