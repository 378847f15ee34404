using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>An application that somebody else runs, with the label that opens it to clients.</summary>
[Collection(nameof(Alone))]
public sealed class AttachedTests(SharedPlane shared)
{
    [Fact]
    public async Task Application_WithTheLabel_IsReachedByItsName_AndIsNeverEndedByTheGateway()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await scene.ApplyAsync(Application("their-app"));
        await ReadyAsync(gateway, "their-app");
        var pod = await PodUidAsync(scene, "their-app");

        Assert.Contains("rows 5", await CountAsync(gateway, "their-app"), StringComparison.Ordinal);

        await gateway.SessionsAsync("close", $"{KubeScene.Namespace}/their-app", "--note", "not wanted");
        Assert.Equal(pod, await PodUidAsync(scene, "their-app"));
        await scene.Plane.KubectlAsync("", "delete", "sparkapplication", "their-app", "-n", KubeScene.Namespace);
    }

    [Fact]
    public async Task Application_ThatIsRunAgain_EndsTheSessionOfTheOldRun()
    {
        var scene = await shared.SceneAsync();
        using var marker = new Marker();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await scene.ApplyAsync(Application("again-app"));
        await ReadyAsync(gateway, "again-app");
        var first = await PodUidAsync(scene, "again-app");
        await using var client = KubeScene.StartWaiting(marker, gateway.Url("ada", Named("again-app")));
        await marker.SeenAsync("ready", client, KubeScene.Limit);

        // An edit of its spec runs an application again.
        await scene.Plane.KubectlAsync("", "patch", "sparkapplication", "again-app", "-n", KubeScene.Namespace, "--type=merge", "-p", """{"spec": {"sparkConf": {"spark.a": "b"}}}""");
        await Deadlines.UntilAsync("the pod of the second run", async () => await PodUidAsync(scene, "again-app") is { } uid && uid != first, KubeScene.Limit);
        await Deadlines.UntilAsync("the session of the second run", async () => (await gateway.SessionsAsync("list", "-o", "json", "--state", "all")).Split("\"again-app\"").Length == 3, KubeScene.Limit);
        marker.Set("go");

        var output = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", output, StringComparison.Ordinal);
        Assert.Contains("rows 5", await CountAsync(gateway, "again-app"), StringComparison.Ordinal);
        await scene.Plane.KubectlAsync("", "delete", "sparkapplication", "again-app", "-n", KubeScene.Namespace);
        await Deadlines.UntilAsync("the end of the session", async () => !(await gateway.SessionsAsync("list", "-o", "json")).Contains("again-app", StringComparison.Ordinal), KubeScene.Limit);
    }

    private static string[] Named(string name) => [$"x-spark-session-id={name}", $"x-spark-namespace={KubeScene.Namespace}"];

    private static string Application(string name) => """
        {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": {"name": "NAME", "labels": {"spark-gateway/attach": "true"}},
         "spec": {"type": "Scala", "mode": "cluster", "sparkVersion": "4.2.0", "image": "sail:1", "mainClass": "their.Job", "mainApplicationFile": "local:///job.jar",
                  "driver": {"serviceAccount": "spark"}, "executor": {}}}
        """.Replace("NAME", name, StringComparison.Ordinal);

    private static Task ReadyAsync(GatewayProcess gateway, string name) =>
        Deadlines.UntilAsync($"the session of {name}", async () => (await gateway.SessionsAsync("list", "-o", "json")).Contains(name, StringComparison.Ordinal), KubeScene.Limit);

    private static async Task<string?> PodUidAsync(KubeScene scene, string application) =>
        (await scene.ListAsync("pods", $"sparkoperator.k8s.io/app-name={application}")).Select(pod => pod.GetProperty("metadata").GetProperty("uid").GetString()).FirstOrDefault();

    private static Task<string> CountAsync(GatewayProcess gateway, string name) => PythonClient.RunAsync(
        """
        from pyspark.sql import SparkSession
        print("rows", SparkSession.builder.remote(URL).getOrCreate().range(5).count())
        """,
        gateway.Url("bob", Named(name)));
}
