using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Those that a driver depends on beside the API server: the operator that makes it, the node that runs it.</summary>
[Collection(nameof(Alone))]
public sealed class OperatorDownTests(SharedPlane shared)
{
    private const string Operator = "spark-operator";

    [Fact]
    public async Task Operator_ThatStaysAway_IsToldAtTheLimit()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600", "spark_connect.start_limit_seconds=4");
        await scene.Plane.ControlAsync("freeze", Operator);
        try
        {
            await FailedStart.AssertToldAsync(scene, gateway,
                "did not start within 4 seconds (spark_connect.start_limit_seconds): no Spark operator has taken up the application yet",
                $"For the team that runs the cluster: see that the Spark operator runs, and that it watches namespace {KubeScene.Namespace}");
        }
        finally
        {
            await scene.Plane.ControlAsync("thaw", Operator);
        }
    }

    [Fact]
    public async Task Operator_ThatComesBack_TheStartGoesOnByItself()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await using var client = PythonConsole.Start();
        Task<string> opening;
        await scene.Plane.ControlAsync("freeze", Operator);
        try
        {
            opening = client.OpenAsync("patient", gateway.Url("oda", KubeScene.Team), KubeScene.Limit);
            await gateway.Process.LineAsync("the word of the wait", line => line.Contains("no Spark operator has taken up the application yet", StringComparison.Ordinal), KubeScene.Limit);
        }
        finally
        {
            // Killed and started again, it finds the application by itself.
            await scene.Plane.ControlAsync("restart", Operator);
        }

        Assert.Equal("rows 3\n", await opening);
        await scene.ClearAsync(gateway);
    }

    [Fact]
    public async Task Node_ThatIsLost_IsNamedToTheClient()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await using var client = PythonConsole.Start();
        Assert.Equal("rows 3\n", await client.OpenAsync("spark", gateway.Url("nell", KubeScene.Team), KubeScene.Limit));
        var pod = $"{Assert.Single(await KubeScene.SessionsOfAsync(gateway, "nell"))}-driver";
        await ReadinessAsync(scene, pod, "True");

        await scene.Plane.KubectlAsync("", "-n", KubeScene.Namespace, "annotate", "pod", pod, "node.test/fault=lost:0");
        try
        {
            await ReadinessAsync(scene, pod, "False");

            // Its driver stands still, so the call waits until the cluster gives the pod up.
            var told = await client.RunAsync("print('not told', spark.range(2).count())", KubeScene.Limit);

            Assert.StartsWith("told [INVALID_HANDLE.SESSION_CHANGED]", told, StringComparison.Ordinal);
            Assert.Contains($"node node-1 of pod {KubeScene.Namespace}/{pod} cannot be reached any more", told, StringComparison.Ordinal);
            Assert.Equal("rows 3\n", await client.OpenAsync("spark", gateway.Url("nell", KubeScene.Team), KubeScene.Limit));
        }
        finally
        {
            // Nobody else confirms its end.
            await scene.Plane.KubectlAsync("", "-n", KubeScene.Namespace, "delete", "pod", pod, "--force", "--grace-period=0", "--ignore-not-found");
        }

        await scene.ClearAsync(gateway);
    }

    private static Task<string> ReadinessAsync(KubeScene scene, string pod, string status) =>
        scene.Plane.KubectlAsync("", "-n", KubeScene.Namespace, "wait", $"pod/{pod}", $"--for=condition=Ready={status}", "--timeout=2m");
}
