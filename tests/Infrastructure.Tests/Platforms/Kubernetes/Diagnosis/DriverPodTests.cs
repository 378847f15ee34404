using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

public sealed class DriverPodTests
{
    [Theory]
    [InlineData("running")]
    [InlineData("connect-running")]
    [InlineData("sidecar")]
    public void Parse_DriverRuns_RouteWithIdentity(string sample)
    {
        var pod = Sample.Of(sample).Pod!;

        Assert.Equal("", pod.NoRoute);
        Assert.Equal(15002, pod.Endpoint!.Port);
        Assert.StartsWith("127.", pod.Endpoint.Address, StringComparison.Ordinal);
        Assert.Equal($"{pod.Uid}/start-0", pod.Endpoint.RuntimeId);
        Assert.Equal(Sample.Of(sample).Application.Uid, pod.OwnerUid);
    }

    [Theory]
    [InlineData("unschedulable", "its phase is Pending")]
    [InlineData("image-pull", "its phase is Pending")]
    [InlineData("crash", "its phase is Failed")]
    [InlineData("evicted", "its phase is Failed")]
    [InlineData("done", "its phase is Succeeded")]
    [InlineData("sidecar-outlives", "its driver has ended with code 3")]
    [InlineData("connect-crash-loop", "its driver does not run (CrashLoopBackOff)")]
    [InlineData("connect-evicted", "its phase is Failed")]
    public void Parse_DriverDoesNotRun_NoRouteAndWhy(string sample, string why)
    {
        var pod = Sample.Of(sample).Pod!;

        Assert.Null(pod.Endpoint);
        Assert.Equal(why, pod.NoRoute);
    }

    [Theory]
    [InlineData("node-lost", true)]
    [InlineData("running", false)]
    [InlineData("sidecar", false)]
    [InlineData("crash", false)]
    [InlineData("connect-crash-loop", false)]
    public void Parse_NodeThatFellSilent_IsToldFromAPodThatIsNotReady(string sample, bool isSilent) =>
        Assert.Equal(isSilent, Sample.Of(sample).Pod!.IsNodeSilent);

    [Fact]
    public void Parse_ReadinessGateClosed_IsNoSilentNode()
    {
        var gated = Sample.Change(Sample.Of("node-lost").PodObject, pod => pod["spec"]!["readinessGates"] = JsonNode.Parse("""[{"conditionType": "example.org/warm"}]"""));

        Assert.False(DriverPod.Parse(gated, PodTemplates.DriverContainer).IsNodeSilent);
    }

    [Fact]
    public void Parse_Sidecar_StandsBeforeTheDriver()
    {
        var names = Sample.Of("sidecar").PodObject.Json.GetProperty("spec").GetProperty("containers").EnumerateArray().Select(container => container.GetProperty("name").GetString());

        Assert.Equal(["proxy", "spark-kubernetes-driver"], names);
    }

    [Fact]
    public void Parse_PodBeingDeleted_NoRoute() =>
        Assert.Equal("it is being deleted", Changed(pod => pod["metadata"]!["deletionTimestamp"] = "2026-11-28T02:40:00Z").NoRoute);

    [Fact]
    public void Parse_NoAddressYet_NoRoute() =>
        Assert.Equal("it has no address", Changed(pod => pod["status"]!.AsObject().Remove("podIP")).NoRoute);

    [Fact]
    public void Parse_NoSuchContainer_NoRoute() =>
        Assert.Equal("it has no container spark-kubernetes-driver", Changed(pod => pod["spec"]!["containers"]![0]!["name"] = "other").NoRoute);

    [Fact]
    public void Parse_ContainerWithIdAndIpv6_BothInTheEndpoint()
    {
        var pod = Changed(pod =>
        {
            pod["status"]!["podIP"] = "fd00::7";
            pod["status"]!["containerStatuses"]![0]!["containerID"] = "containerd://abc";
        });

        Assert.Equal(("[fd00::7]:15002", $"{pod.Uid}/containerd://abc"), (pod.Endpoint!.Address, pod.Endpoint.RuntimeId));
    }

    [Theory]
    [InlineData(17002, "17003", 17002)]
    [InlineData(null, "17003", 17003)]
    [InlineData(null, "none", 15002)]
    [InlineData(null, null, 15002)]
    public void At_PortOfAttachedDriver_NamedPortThenSettingThenDefault(int? named, string? setting, int expected)
    {
        var pod = Changed(pod =>
        {
            var ports = pod["spec"]!["containers"]![0]!["ports"]!.AsArray();
            ports.Clear();
            if (named is not null) ports.Add((JsonNode)new JsonObject { ["name"] = "spark-connect", ["containerPort"] = named });
        });
        var application = JsonNode.Parse(Sample.Of("running").ApplicationObject.Json.GetRawText())!;
        if (setting is not null) application["spec"]!["sparkConf"] = new JsonObject { ["spark.connect.grpc.binding.port"] = setting };
        var view = new SparkApplicationFlavour().Parse(Sample.Object(Element(application)));

        Assert.Equal(expected, pod.At(view).Endpoint!.Port);
    }

    [Fact]
    public void Parse_SidecarHasTrouble_ItIsWhatWaits()
    {
        var pod = Changed(pod =>
        {
            pod["spec"]!["containers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "proxy", ["image"] = "proxy:0" });
            var seen = pod["status"]!["containerStatuses"]!.AsArray();
            seen[0]!["state"] = JsonNode.Parse("""{"waiting": {"reason": "ContainerCreating"}}""");
            seen.Add(JsonNode.Parse("""{"name": "proxy", "state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}"""));
        });

        Assert.Equal(new ContainerWait("proxy", "proxy:0", "ErrImagePull", "no"), pod.Waiting);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"metadata": {"name": 7, "ownerReferences": {}}, "spec": [], "status": {"containerStatuses": [null, 1], "conditions": "none"}}""")]
    public void Parse_DocumentOfAnotherShape_NoRouteAndNoFault(string document) =>
        Assert.Null(DriverPod.Parse(new KubeObject(new ObjectKey("a", "b"), "uid", "1", Element(JsonNode.Parse(document.Replace("{}", """{"metadata": {}}""", StringComparison.Ordinal))!)), "x").Endpoint);

    private static DriverPod Changed(Action<JsonNode> change)
    {
        var pod = JsonNode.Parse(Sample.Of("running").PodObject.Json.GetRawText())!;
        change(pod);
        return DriverPod.Parse(Sample.Object(Element(pod)), PodTemplates.DriverContainer);
    }

    private static System.Text.Json.JsonElement Element(JsonNode node) => System.Text.Json.JsonDocument.Parse(node.ToJsonString()).RootElement;
}
