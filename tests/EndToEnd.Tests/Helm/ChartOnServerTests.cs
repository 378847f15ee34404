using System.Text.Json.Nodes;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>A plane with the namespaces that the sets of values name.</summary>
[CollectionDefinition(nameof(ChartPlane))]
public sealed class ChartPlane() : KubePlaneFixture("--crds", "all", "--namespaces", "sjns-data-staging,sjns-ml-prod"), ICollectionFixture<ChartPlane>;

/// <summary>
/// The chart on a real API server. It has no controller for Deployments, so nothing runs: what is shown is that the server
/// takes every object, and what helm and RBAC make of them.
/// </summary>
[Collection(nameof(ChartPlane))]
public sealed class ChartOnServerTests(ChartPlane planes)
{
    private const string ServiceMonitorCrd = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: servicemonitors.monitoring.coreos.com}
        spec:
          group: monitoring.coreos.com
          names: {kind: ServiceMonitor, plural: servicemonitors}
          scope: Namespaced
          versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
        """;

    public static TheoryData<string> ValueSets => Chart.ValueSets;

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Objects_OfEachSet_AreTakenByTheServer(string set)
    {
        var plane = await PlaneAsync(Chart.Namespace);
        var rendered = await Chart.RenderAsync(set, "serviceMonitor.enabled=true");
        // Its CRD is not of this project: the name and the group are checked, not the fields.
        await plane.KubectlAsync(ServiceMonitorCrd, "apply", "-f", "-");
        await plane.KubectlAsync("", "wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com");

        var taken = await plane.KubectlAsync(rendered.Yaml, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-");

        Assert.Equal(rendered.Kinds.Sum(kind => rendered.All(kind).Count()), taken.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Pods_OfEachSet_PassTheRestrictedSecurityStandard(string set)
    {
        var space = $"restricted-{set}";
        var plane = await PlaneAsync(space);
        await plane.KubectlAsync("", "label", "--overwrite", "namespace", space, "pod-security.kubernetes.io/enforce=restricted");
        var rendered = await Chart.RenderAsync(set);
        var account = (string)rendered.Pod["spec"]!["serviceAccountName"]!;
        await plane.KubectlAsync($"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {account}, namespace: {space}}}}}", "apply", "-f", "-");
        var pod = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = "probe", ["namespace"] = space }, ["spec"] = rendered.Pod["spec"]!.DeepClone() };
        pod["spec"]!.AsObject().Remove("priorityClassName");

        await plane.KubectlAsync(pod.ToJsonString(), "create", "--dry-run=server", "--validate=strict", "-f", "-");

        pod["spec"]!["containers"]![0]!["securityContext"]!["allowPrivilegeEscalation"] = true;
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => plane.KubectlAsync(pod.ToJsonString(), "create", "--dry-run=server", "-f", "-"));
        Assert.Contains("violates PodSecurity", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_InstalledUpgradedRolledBack_LeavesNothingButItsClaim()
    {
        const string space = "releases";
        var plane = await PlaneAsync(space);
        string[] here = ["--namespace", space, "--kubeconfig", plane.AdminKubeconfig];

        var install = await Chart.HelmAsync(["install", "spark-gateway", Chart.Folder, .. here, .. Chart.Values("embedded", "config.spark_connect.on_demand.teams[0].team=data", "config.spark_connect.on_demand.teams[0].environment=staging")]);
        Assert.Contains("SparkSession.builder.remote(\"sc://spark-gateway.releases:15002/;x-spark-team=data;x-spark-environment=staging\").getOrCreate()", install.Good(), StringComparison.Ordinal);
        Assert.Contains("Clients show no credential", install.Output, StringComparison.Ordinal);
        Assert.Equal("kind: sqlite", await StoreAsync(plane, space));

        (await Chart.HelmAsync(["upgrade", "spark-gateway", Chart.Folder, .. here, .. Chart.Values("postgresql")])).Good();
        Assert.Equal("kind: postgres", await StoreAsync(plane, space));
        Assert.Equal("3", await plane.KubectlAsync("", "-n", space, "get", "deployment", "spark-gateway", "-o", "jsonpath={.spec.replicas}"));

        (await Chart.HelmAsync(["rollback", "spark-gateway", "1", .. here])).Good();
        Assert.Equal("kind: sqlite", await StoreAsync(plane, space));

        (await Chart.HelmAsync(["uninstall", "spark-gateway", .. here])).Good();
        var left = await plane.KubectlAsync("", "get", "all,configmap,serviceaccount,networkpolicy,poddisruptionbudget,pvc,rolebinding,clusterrole", "-A", "-l", "app.kubernetes.io/instance=spark-gateway", "-o", "name");
        Assert.Equal("persistentvolumeclaim/spark-gateway-state", left.Trim());

        // The claim that was kept is taken over by the next one of that name.
        (await Chart.HelmAsync(["install", "spark-gateway", Chart.Folder, .. here, .. Chart.Values("embedded")])).Good();
        (await Chart.HelmAsync(["uninstall", "spark-gateway", .. here])).Good();
    }

    [Fact]
    public async Task Releases_OfOneNameInTwoNamespaces_DoNotMeet()
    {
        var plane = await PlaneAsync("twin-a");
        await PlaneAsync("twin-b");

        foreach (var space in (string[])["twin-a", "twin-b"])
            (await Chart.HelmAsync(["install", "twin", Chart.Folder, "--namespace", space, "--kubeconfig", plane.AdminKubeconfig, .. Chart.Values("embedded")])).Good();

        Assert.Equal(2, (await plane.KubectlAsync("", "-n", "sjns-data-staging", "get", "rolebinding,networkpolicy", "-l", "app.kubernetes.io/instance=twin", "-o", "name")).Split("rolebinding.", StringSplitOptions.None).Length - 1);
        foreach (var space in (string[])["twin-a", "twin-b"])
            (await Chart.HelmAsync(["uninstall", "twin", "--namespace", space, "--kubeconfig", plane.AdminKubeconfig])).Good();
    }

    private async Task<KubePlane> PlaneAsync(string space)
    {
        var plane = await planes.PlaneAsync();
        await plane.KubectlAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {space}}}}}", "apply", "-f", "-");
        return plane;
    }

    private static async Task<string> StoreAsync(KubePlane plane, string space)
    {
        var config = await plane.KubectlAsync("", "-n", space, "get", "configmap", "spark-gateway", "-o", "jsonpath={.data.gateway\\.yml}");
        return config.Split('\n').Select(line => line.Trim()).Single(line => line is "kind: sqlite" or "kind: postgres");
    }
}
