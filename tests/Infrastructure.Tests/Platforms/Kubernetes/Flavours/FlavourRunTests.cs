using System.Text.Json;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Flavours;

/// <summary>A control plane with kubeflow's operator and a node that runs pods.</summary>
public sealed class OperatorPlane() : KubePlaneFixture("--crds", "kubeflow", "--operator", "--node");

/// <summary>What the flavours build, made into a pod by the real operator: whatever it drops on the way is missing here.</summary>
public sealed class FlavourRunTests(OperatorPlane planes) : IClassFixture<OperatorPlane>
{
    [Theory]
    [InlineData("spark-application", "-driver")]
    [InlineData("spark-connect", "-server")]
    public async Task Build_RunByTheOperator_ReachesThePod(string name, string suffix)
    {
        var plane = await planes.PlaneAsync();
        var flavour = AllFlavours.Named(name);
        var spec = Given.Spec(Given.Awkward(name, "sleep:600"), $"spark-connect-{name}");
        string[] space = ["-n", spec.Key.Namespace];
        await plane.KubectlAsync(flavour.Build(spec).ToJsonString(), "create", "--validate=strict", "-f", "-");
        await plane.KubectlAsync("", ["create", "secret", "generic", spec.TokenSecret!, "--from-literal=token=x", .. space]);
        await plane.KubectlAsync("", ["wait", "--for=create", "--timeout=120s", $"pod/{spec.Key.Name}{suffix}", .. space]);
        await plane.KubectlAsync("", ["wait", "--for=jsonpath={.status.phase}=Running", "--timeout=120s", $"pod/{spec.Key.Name}{suffix}", .. space]);

        var pod = await GetAsync(plane, "pod", spec.Key.Name + suffix, space);
        var application = await GetAsync(plane, $"{flavour.Kind.Plural}.{flavour.Kind.Group}", spec.Key.Name, space);
        var view = flavour.Parse(application);
        var driver = DriverPod.Parse(pod, flavour.DriverContainer).At(view);

        Assert.Equal("", driver.NoRoute);
        Assert.Equal((15002, view.Uid, spec.SessionId), (driver.Endpoint!.Port, driver.OwnerUid, view.SessionId));
        foreach (var (label, value) in ApplicationDocument.Labels(spec)) Assert.Equal(value!.ToString(), pod.Label(label));
        Assert.Contains(flavour.PodSelector, $"spark-role={pod.Label("spark-role")}", StringComparison.Ordinal);
        Assert.Equal(("7", "true", "1e3"), (pod.Label("cost"), pod.Label("on"), pod.Annotation("n")));

        var written = pod.Json.GetProperty("spec");
        Assert.Equal(("spark", "Never", "memory"), (written.Text("serviceAccountName"), written.Text("restartPolicy"), written.At("nodeSelector").Text("pool")));
        var container = written.Items("containers").Single(item => item.Text("name") == flavour.DriverContainer);
        var token = container.Items("env").Single(item => item.Text("name") == SparkConfiguration.TokenVariable).At("valueFrom").At("secretKeyRef");
        Assert.Equal((spec.TokenSecret, "token"), (token.Text("name"), token.Text("key")));
        Assert.Equal(15002, container.At("readinessProbe").At("tcpSocket").Number("port"));
        Assert.Contains(container.Items("env"), item => item.Text("name") == "ON" && item.Text("value") == "yes");
        Assert.Contains(container.Items("volumeMounts"), item => item.Text("mountPath") == "/scratch");
        Assert.Equal(("Always", "1500m"), (container.Text("imagePullPolicy"), container.At("resources").At("limits").Text("cpu")));
    }

    private static async Task<KubeObject> GetAsync(KubePlane plane, string kind, string name, string[] space) =>
        Sample.Object(JsonDocument.Parse(await plane.KubectlAsync("", ["get", kind, name, "-o", "json", .. space])).RootElement);
}
