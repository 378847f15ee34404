using System.Globalization;
using System.Text.Json;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

internal sealed partial record DriverPod
{
    /// <param name="container">The driver's, found by name: sidecars may stand before it, and may outlive it.</param>
    public static DriverPod Parse(KubeObject pod, string container)
    {
        var spec = pod.Json.At("spec");
        var status = pod.Json.At("status");
        var written = spec.Items("containers").FirstOrDefault(item => item.Text("name") == container);
        var seen = status.Items("containerStatuses").FirstOrDefault(item => item.Text("name") == container);
        var state = seen.At("state");
        var parsed = new DriverPod
        {
            Key = pod.Key,
            Uid = pod.Uid,
            OwnerUid = pod.Json.At("metadata").Items("ownerReferences").FirstOrDefault(owner => owner.At("controller").ValueKind == JsonValueKind.True).TextOrNull("uid"),
            CreatedAt = pod.CreatedAt,
            IsDeleting = pod.DeletionTimestamp is not null,
            Phase = status.Text("phase"),
            Reason = status.TextOrNull("reason") ?? Disruption(status).Text("reason"),
            Message = status.TextOrNull("message") ?? Disruption(status).Text("message"),
            Node = spec.TextOrNull("nodeName"),
            IsNodeSilent = IsSilent(spec, status),
            Unschedulable = Scheduler(status),
            Image = written.Text("image"),
            Waiting = Wait(spec, status, container),
            Ended = End(state),
            LastEnd = End(seen.At("lastState")),
            Restarts = seen.Number("restartCount") ?? 0,
            NamedPort = written.Items("ports").FirstOrDefault(port => port.Text("name") == PodTemplates.PortName).Number("containerPort"),
            Ip = status.TextOrNull("podIP"),
            ContainerId = state.Has("running") ? ContainerOf(seen) : null,
            Endpoint = null,
            NoRoute = "",
        };
        return parsed.WithRoute(written.ValueKind == JsonValueKind.Object && written.Text("name") == container ? null : container);
    }

    /// <summary>The same pod with the port that its application's settings name, if the pod names none itself.</summary>
    public DriverPod At(ApplicationView application) =>
        Endpoint is null || NamedPort is not null || application.ConfiguredPort is not { } port ? this : this with { Endpoint = Endpoint with { Port = port } };

    private DriverPod WithRoute(string? missing)
    {
        var why = missing is not null ? $"it has no container {missing}"
            : IsDeleting ? "it is being deleted"
            : Phase != "Running" ? $"its phase is {(Phase.Length > 0 ? Phase : "not set")}"
            : Ended is not null ? $"its driver has ended with code {Ended.ExitCode}"
            : ContainerId is null ? $"its driver does not run{(Waiting is null ? "" : $" ({Waiting.Reason})")}"
            : Ip is null ? "it has no address"
            : "";
        if (why.Length > 0) return this with { NoRoute = why };
        return this with { Endpoint = new DriverEndpoint(Ip!, NamedPort ?? ApplicationSpec.Port, $"{Uid}/{ContainerId}") };
    }

    /// <summary>Its id; a runtime that says none is told from the next by how often it was started.</summary>
    private static string ContainerOf(JsonElement seen) =>
        seen.TextOrNull("containerID") ?? string.Create(CultureInfo.InvariantCulture, $"start-{seen.Number("restartCount") ?? 0}");

    private static ContainerEnd? End(JsonElement state)
    {
        var end = state.At("terminated");
        return end.Number("exitCode") is { } code ? new ContainerEnd(code, end.Text("reason"), end.Text("message")) : null;
    }

    /// <summary>The driver's own trouble first, then another container's, then that its turn has not come.</summary>
    private static ContainerWait? Wait(JsonElement spec, JsonElement status, string container)
    {
        ContainerWait? usual = null;
        var all = status.Items("containerStatuses").OrderByDescending(seen => seen.Text("name") == container).Concat(status.Items("initContainerStatuses"));
        foreach (var seen in all)
        {
            var waiting = seen.At("state").At("waiting");
            if (waiting.TextOrNull("reason") is not { } reason) continue;
            var name = seen.Text("name");
            var image = spec.Items("containers").Concat(spec.Items("initContainers")).FirstOrDefault(item => item.Text("name") == name).Text("image");
            var wait = new ContainerWait(name, image, reason, waiting.Text("message"));
            if (!wait.IsUsual) return wait;
            usual ??= wait;
        }

        return usual;
    }

    /// <summary>Why the cluster takes the pod away: a drained or lost node, preemption, eviction.</summary>
    private static JsonElement Disruption(JsonElement status) =>
        status.Items("conditions").FirstOrDefault(condition => condition.Text("type") == "DisruptionTarget" && condition.Text("status") == "True");

    /// <summary>What a node itself says of a pod without readiness gates never differs from what it says of the containers.</summary>
    private static bool IsSilent(JsonElement spec, JsonElement status) =>
        status.Text("phase") == "Running"
        && !spec.Items("readinessGates").Any()
        && status.Items("conditions").Any(condition => condition.Text("type") == "Ready" && condition.Text("status") == "False")
        && status.Items("containerStatuses").Any()
        && status.Items("containerStatuses").All(seen => seen.At("ready").ValueKind == JsonValueKind.True);

    private static string? Scheduler(JsonElement status)
    {
        foreach (var condition in status.Items("conditions"))
            if (condition.Text("type") == "PodScheduled" && condition.Text("status") == "False" && condition.Text("reason") == "Unschedulable")
                return condition.Text("message");
        return null;
    }
}
