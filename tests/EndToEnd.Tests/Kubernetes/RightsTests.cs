using System.Net;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A gateway whose account lacks a right, from the start or from some moment on.</summary>
[Collection(nameof(Alone))]
public sealed class RightsTests(SharedPlane shared)
{
    [Theory]
    [InlineData("create sparkapplications", "add the verb create for sparkapplications.sparkoperator.k8s.io")]
    [InlineData("create secrets", "add the verb create for secrets")]
    public async Task Right_ThatWasNeverGiven_HoldsTheReplicaBackAndIsTold(string missing, string rule)
    {
        var scene = await shared.SceneAsync();
        await using var account = await KubeAccount.CreateAsync(scene, without: missing);
        await using var gateway = await scene.GatewayAsync(account, "sleep:600");
        await Deadlines.UntilAsync("the review", async () => (await gateway.ReadinessAsync("kubernetes")).Reason.Contains($"may not {missing}", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(gateway));
        await FailedStart.AssertToldAsync(scene, gateway, rule, $"User \"{account.User}\" cannot create resource", KubeScene.Namespace);
    }

    [Fact]
    public async Task Rights_TakenAwayAndGivenBack_SessionsGoOnAndOnlyNewOnesWait()
    {
        var scene = await shared.SceneAsync();
        await using var account = await KubeAccount.CreateAsync(scene);
        await using var gateway = await scene.GatewayAsync(account, "sail:1",
            "kubernetes.access_review_seconds=10", "kubernetes.access_retry_seconds=1", "kubernetes.watch_timeout_seconds=10", "kubernetes.backoff_max_seconds=2");
        await KubeScene.SyncedAsync(gateway);
        await using var client = PythonConsole.Start();
        Assert.Equal("rows 3\n", await client.OpenAsync("old", gateway.Url("rob", KubeScene.Team), KubeScene.Limit));

        await account.RevokeAsync();

        var refused = await client.OpenAsync("refused", gateway.Url("ray", KubeScene.Team));
        Assert.StartsWith("told ", refused, StringComparison.Ordinal);
        Assert.Contains("add the verb create for sparkapplications.sparkoperator.k8s.io", refused, StringComparison.Ordinal);
        await Deadlines.UntilAsync("the review", async () => (await gateway.ReadinessAsync("kubernetes")).Reason.Contains("may not create sparkapplications", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway));
        Assert.Equal("rows 4\n", await client.RunAsync("print('rows', old.range(4).count())"));

        await account.GrantAsync();

        await Deadlines.UntilAsync("the rights again", async () => (await gateway.ReadinessAsync("kubernetes")).Reason == "ok");
        Assert.Equal("rows 3\n", await client.OpenAsync("another", gateway.Url("roy", KubeScene.Team), KubeScene.Limit));
        Assert.Equal("rows 4\n", await client.RunAsync("print('rows', old.range(4).count())"));
        await scene.ClearAsync(gateway);
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{gateway.AdminPort}/readyz"));
        return answer.StatusCode;
    }
}
