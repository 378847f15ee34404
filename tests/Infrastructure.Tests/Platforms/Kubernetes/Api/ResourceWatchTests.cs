using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>Watches over a real API server, through its outages. At the end the cache equals a fresh list.</summary>
[Collection(KubeApiPlane.Name)]
public sealed class ResourceWatchTests(NodePlane shared) : IAsyncLifetime
{
    private KubePlane plane = null!;
    private string space = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        plane = await shared.PlaneAsync();
        space = await NodePlane.NewNamespaceAsync(plane);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Objects_MadeChangedRelabelledDeleted_AreToldInOrder()
    {
        await using var gateway = Gateway();
        await using var watch = new RunningWatch(gateway, "team=a");
        await gateway.Logs.Seen("Able to watch");

        var one = await CreateAsync(gateway, "one", "1", "a");
        await CreateAsync(gateway, "other", "1", "b");
        await LabelAsync("one", "n=2");
        await LabelAsync("one", "team=b");
        await LabelAsync("one", "team=a");
        await gateway.Api.DeleteAsync(Applications.Kind, one.Key, one.Uid, Cancellation);

        await watch.UntilAsync(() => watch.Changes.Count == 5);
        Assert.Equal(["Added one=1", "Modified one=2", "Deleted one=2", "Added one=2", "Deleted one=2"], watch.Changes);
    }

    [Theory]
    [InlineData("restart", "kube-apiserver", "2")]
    [InlineData("restart", "etcd", "2")]
    [InlineData("expire")]
    public async Task Outage_ObjectsVanishMeanwhile_IsCaughtUp(params string[] outage)
    {
        // Short waits: with the defaults a watch may rest for half a minute after the server is back.
        await using var gateway = Gateway(options => (options.WatchSilenceSeconds, options.BackoffMaxSeconds, options.WatchParkSeconds) = (20, 2, 2));
        await using var watch = new RunningWatch(gateway);
        await gateway.Logs.Seen("Able to watch");
        var gone = await CreateAsync(gateway, "gone", "1", "a");
        await CreateAsync(gateway, "stays", "1", "a");
        await watch.UntilAsync(() => watch.Changes.Count == 2);

        // Later versions than the watch has seen, so that its own is behind when all older ones are forgotten.
        await plane.KubectlAsync("", "-n", space, "create", "configmap", "later");
        await plane.ControlAsync(outage);
        await RetriedAsync(() => plane.KubectlAsync("", "-n", space, "delete", "sparkapplication", gone.Key.Name));
        await RetriedAsync(() => CreateAsync(gateway, "new", "1", "a"));

        await watch.UntilAsync(() => watch.Names.SequenceEqual(["new", "stays"]));
        Assert.Contains("Deleted gone=1", watch.Changes);
        Assert.Single(watch.Changes, change => change == "Added stays=1");
    }

    [Fact]
    public async Task Frozen_IsNoticedByPing_AndCaughtUp()
    {
        await using var gateway = Gateway(options => (options.PingSeconds, options.PingTimeoutSeconds, options.RequestTimeoutSeconds) = (1, 1, 2));
        await using var watch = new RunningWatch(gateway);
        await gateway.Logs.Seen("Able to watch");
        await CreateAsync(gateway, "stays", "1", "a");
        await watch.UntilAsync(() => watch.Changes.Count == 1);

        await plane.ControlAsync("freeze");
        await gateway.Logs.Seen("No longer able to watch");
        Assert.NotNull(watch.Watch.Trouble);
        await plane.ControlAsync("thaw");

        await RetriedAsync(() => CreateAsync(gateway, "new", "1", "a"));
        await watch.UntilAsync(() => watch.Names.SequenceEqual(["new", "stays"]));
    }

    [Fact]
    public async Task Rights_TakenAndGivenBack_NamespaceRestsAndComesBack()
    {
        await GrantAsync();
        await using var gateway = KubeHarness.For(Kubeconfigs.WithToken(plane, plane.ScopedToken), options =>
        {
            // The server goes on with an open watch: only the next one is refused.
            (options.Namespaces, options.WatchTimeoutSeconds, options.WatchParkSeconds) = (["sjns-data-control", space], 1, 1);
        });
        await using var admin = KubeHarness.For(plane.AdminKubeconfig);
        await CreateAsync(admin, "one", "1", "a");
        await using var watch = new RunningWatch(gateway);
        await gateway.Logs.Seen($"Able to watch sparkapplications.sparkoperator.k8s.io in namespace {space}");
        Assert.Contains("one", watch.Names);

        await plane.KubectlAsync("", "-n", space, "delete", "rolebinding", "watcher");
        await gateway.Logs.Seen("is forbidden");
        Assert.False(watch.Watch.Sees(space));
        Assert.True(watch.Watch.Sees("sjns-data-control"));
        Assert.Contains("one", watch.Names);

        await GrantAsync();
        await CreateAsync(admin, "two", "1", "a");
        await watch.UntilAsync(() => watch.Names.Contains("two"));

        // The list that told of the second is complete when the watch after it tells of the third.
        await CreateAsync(admin, "three", "1", "a");
        await watch.UntilAsync(() => watch.Names.Contains("three"));
        Assert.True(watch.Watch.Sees(space));
    }

    [Fact]
    public async Task Namespaces_ForbiddenAtFirst_DoNotHoldUpTheOthers()
    {
        await using var gateway = KubeHarness.For(Kubeconfigs.WithToken(plane, plane.ScopedToken), options => options.Namespaces = ["sjns-data-control", space]);
        await using var watch = new RunningWatch(gateway);

        await gateway.Logs.Seen("Able to watch sparkapplications.sparkoperator.k8s.io in namespace sjns-data-control");
        await gateway.Logs.Seen($"No longer able to watch sparkapplications.sparkoperator.k8s.io in namespace {space}");

        Assert.True(watch.Watch.IsSynced);
        Assert.False(watch.Watch.Sees(space));
        Assert.Contains(space, watch.Watch.Trouble, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwoHundredObjects_ComeAndGo_CacheEqualsAFreshList(bool isOneWatchEach)
    {
        const int spaces = 20;
        const int each = 10;
        var names = Enumerable.Range(0, spaces).Select(i => $"{space}-{i}").ToList();
        foreach (var name in names) await plane.KubectlAsync("", "create", "namespace", name);
        await using var gateway = Gateway(options => options.Namespaces = isOneWatchEach ? names : []);
        await using var watch = new RunningWatch(gateway, $"team={space}");

        await Task.WhenAll(names.Select(name => ChurnAsync(gateway, name, each)));
        await CreateAsync(gateway, "last", "", space, names[^1]);
        await watch.UntilAsync(() => watch.Names.Contains("last") && watch.Watch.Snapshot.Count == spaces * each / 2 + 1);

        var fresh = new List<KubeObject>();
        foreach (var name in names) fresh.AddRange((await gateway.Api.ListAsync(Applications.Kind, name, $"team={space}", null, Cancellation)).Value);
        Assert.Equal(
            fresh.Select(item => $"{item.Key} {item.Uid} {item.ResourceVersion} {item.Label("n")}").Order(StringComparer.Ordinal),
            watch.Watch.Snapshot.Select(item => $"{item.Key} {item.Uid} {item.ResourceVersion} {item.Value}").Order(StringComparer.Ordinal));
    }

    /// <summary>Each object is made, changed, and every other one deleted.</summary>
    private async Task ChurnAsync(KubeHarness gateway, string inNamespace, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var made = await CreateAsync(gateway, $"app-{i}", "1", space, inNamespace);
            await gateway.Api.JsonPatchAsync(Applications.Kind, made.Key, [new System.Text.Json.Nodes.JsonObject { ["op"] = "replace", ["path"] = "/metadata/labels/n", ["value"] = "2" }], Cancellation);
            if (i % 2 == 0) await gateway.Api.DeleteAsync(Applications.Kind, made.Key, made.Uid, Cancellation);
        }
    }

    private KubeHarness Gateway(Action<KubernetesOptions>? configure = null) => KubeHarness.For(plane.GatewayKubeconfig, options =>
    {
        (options.Namespaces, options.BackoffMilliseconds, options.BackoffMaxSeconds) = ([space], 100, 1);
        configure?.Invoke(options);
    });

    private async Task<KubeObject> CreateAsync(KubeHarness gateway, string name, string value, string team, string? inNamespace = null)
    {
        var made = await gateway.Api.CreateAsync(
            Applications.Kind,
            Applications.Named(inNamespace ?? space, name, body => (body["metadata"]!["labels"]!["n"], body["metadata"]!["labels"]!["team"]) = (value, team)),
            dryRun: false,
            Cancellation);
        return made.IsOk || made.Is(KubeFailure.AlreadyExists) ? made.IsOk ? made.Value : null! : throw new InvalidOperationException(made.Error!.Error.Text);
    }

    /// <summary>After an outage a first call may still fail.</summary>
    private static async Task RetriedAsync(Func<Task> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await call();
                return;
            }
            catch (InvalidOperationException) when (attempt < 20)
            {
                // Again.
            }
        }
    }

    private Task<string> LabelAsync(string name, string label) => plane.KubectlAsync("", "-n", space, "label", "--overwrite", "sparkapplication", name, label);

    private async Task GrantAsync()
    {
        await plane.KubectlAsync("", "-n", space, "create", "rolebinding", "watcher", "--clusterrole=spark-gateway", "--serviceaccount=spark-gateway:spark-gateway-scoped");
        await RetriedAsync(async () => Assert.Equal("yes", (await plane.KubectlAsync("", "-n", space, "auth", "can-i", "watch", "pods", "--as=system:serviceaccount:spark-gateway:spark-gateway-scoped")).Trim()));
    }
}
