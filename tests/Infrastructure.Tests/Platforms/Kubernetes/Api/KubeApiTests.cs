using System.Text.Json.Nodes;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>Calls to a real API server, with the rights that the gateway has.</summary>
[Collection(KubeApiPlane.Name)]
public sealed class KubeApiTests(NodePlane shared) : IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private KubePlane plane = null!;
    private KubeHarness gateway = null!;
    private string space = "";

    private IKubeApi Api => gateway.Api;

    public async ValueTask InitializeAsync()
    {
        plane = await shared.PlaneAsync();
        gateway = KubeHarness.For(plane.GatewayKubeconfig);
        space = await NodePlane.NewNamespaceAsync(plane);
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Delete_OtherUid_LeavesTheObject()
    {
        var made = await CreateAsync("one");
        var uid = made.Value.Uid;

        Assert.False((await Api.DeleteAsync(Applications.Kind, made.Value.Key, Guid.NewGuid().ToString(), Cancellation)).Value);
        Assert.Equal(uid, (await Api.GetAsync(Applications.Kind, made.Value.Key, Cancellation)).Value?.Uid);
        Assert.True((await Api.DeleteAsync(Applications.Kind, made.Value.Key, uid, Cancellation)).Value);
        Assert.Null((await Api.GetAsync(Applications.Kind, made.Value.Key, Cancellation)).Value);
        Assert.False((await Api.DeleteAsync(Applications.Kind, made.Value.Key, uid, Cancellation)).Value);
    }

    [Fact]
    public async Task Create_Object_IsOursAndReadable()
    {
        var made = (await CreateAsync("one")).Value;

        Assert.Equal(new ObjectKey(space, "one"), made.Key);
        Assert.Equal("spark-gateway", made.Label("app.kubernetes.io/managed-by"));
        Assert.NotNull(made.CreatedAt);
        Assert.Null(made.DeletionTimestamp);
        Assert.Equal("spark-gateway", made.Json.GetProperty("metadata").GetProperty("managedFields")[0].GetProperty("manager").GetString());
    }

    [Fact]
    public async Task Create_NameTaken_IsToldApart()
    {
        await CreateAsync("one");

        var second = await CreateAsync("one");

        Assert.Equal(KubeFailure.AlreadyExists, second.Error?.Failure);
    }

    [Fact]
    public async Task Create_UnknownField_IsRefusedByName()
    {
        var result = await CreateAsync("one", body => body["spec"]!["driver"]!["core"] = 1);

        Expect(result, KubeFailure.StrictDecoding, ErrorCode.Internal, "spec.driver.core");
    }

    [Fact]
    public async Task Create_AgainstSchema_NamesTheField()
    {
        var result = await CreateAsync("one", body => body["spec"]!["executor"]!["instances"] = 0);

        Expect(result, KubeFailure.Invalid, ErrorCode.InvalidArgument, "spec.executor.instances");
    }

    [Fact]
    public async Task Create_DryRun_LeavesNothing()
    {
        var result = await Api.CreateAsync(Applications.Kind, Applications.Named(space, "one"), dryRun: true, Cancellation);

        Assert.True(result.IsOk);
        Assert.Null((await Api.GetAsync(Applications.Kind, new ObjectKey(space, "one"), Cancellation)).Value);
    }

    [Fact]
    public async Task Create_QuotaUsedUp_SaysWhichQuota()
    {
        await plane.KubectlAsync("", "-n", space, "create", "quota", "few", "--hard=count/sparkapplications.sparkoperator.k8s.io=0");
        await plane.KubectlAsync("", "-n", space, "wait", "--for=jsonpath={.status.hard}", "quota/few", "--timeout=60s");

        var result = await CreateAsync("one");

        Expect(result, KubeFailure.Quota, ErrorCode.ResourceExhausted, "exceeded quota: few");
    }

    [Fact]
    public async Task Create_NamespaceMissing_PointsToTeamAndEnvironment()
    {
        var result = await Api.CreateAsync(Applications.Kind, Applications.Named("sjns-nobody", "one"), dryRun: false, Cancellation);

        Expect(result, KubeFailure.NamespaceMissing, ErrorCode.StartFailed, "no namespace sjns-nobody");
    }

    [Fact]
    public async Task Create_NamespaceBeingDeleted_SaysSo()
    {
        await plane.KubectlAsync($$$"""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stay", "namespace": "{{{space}}}", "finalizers": ["tests.example/stay"]}}""", "apply", "-f", "-");
        await plane.KubectlAsync("", "delete", "namespace", space, "--wait=false");

        var result = await CreateAsync("one");

        Expect(result, KubeFailure.NamespaceTerminating, ErrorCode.StartFailed, "being deleted");
        await plane.KubectlAsync("", "-n", space, "patch", "configmap", "stay", "--type=merge", "-p", """{"metadata": {"finalizers": null}}""");
    }

    [Fact]
    public async Task Create_WithoutTheRight_SaysWhichRuleToAdd()
    {
        await using var scoped = KubeHarness.For(Kubeconfigs.WithToken(plane, plane.ScopedToken));

        var result = await scoped.Api.CreateAsync(Applications.Kind, Applications.Named(space, "one"), dryRun: false, Cancellation);

        Expect(result, KubeFailure.Forbidden, ErrorCode.StartFailed, "add the verb create for sparkapplications.sparkoperator.k8s.io");
    }

    [Fact]
    public async Task Create_PolicyDenies_SaysWhat()
    {
        await plane.KubectlAsync(Policy(), "apply", "-f", "-");
        using var limit = new CancellationTokenSource(LocalHarness.Patience);
        KubeResult<KubeObject> result;
        do
        {
            // A policy is in force a moment after it is made.
            result = await Api.CreateAsync(Applications.Kind, Applications.Named(space, "one"), dryRun: true, limit.Token);
        }
        while (result.IsOk);
        await plane.KubectlAsync("", "delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", space);

        Expect(result, KubeFailure.WebhookDenied, ErrorCode.InvalidArgument, "only on weekdays");
    }

    [Fact]
    public async Task Create_WebhookDown_IsPassing()
    {
        await plane.KubectlAsync(Webhook(), "apply", "-f", "-");
        using var limit = new CancellationTokenSource(LocalHarness.Patience);
        KubeResult<KubeObject> result;
        do result = await Api.CreateAsync(Applications.Kind, Applications.Named(space, "one"), dryRun: false, limit.Token);
        while (result.IsOk || result.Is(KubeFailure.AlreadyExists));
        await plane.KubectlAsync("", "delete", "validatingwebhookconfiguration", space);

        Expect(result, KubeFailure.WebhookDown, ErrorCode.Unavailable, "admission webhook");
    }

    [Fact]
    public async Task JsonPatch_TestFails_IsConflict()
    {
        var made = (await CreateAsync("one")).Value;
        JsonArray Claim(string from, string to) =>
        [
            new JsonObject { ["op"] = "test", ["path"] = "/metadata/labels/app.kubernetes.io~1managed-by", ["value"] = from },
            new JsonObject { ["op"] = "replace", ["path"] = "/metadata/labels/app.kubernetes.io~1managed-by", ["value"] = to },
        ];

        var first = await Api.JsonPatchAsync(Applications.Kind, made.Key, Claim("spark-gateway", "me"), Cancellation);
        var second = await Api.JsonPatchAsync(Applications.Kind, made.Key, Claim("spark-gateway", "you"), Cancellation);

        Assert.Equal("me", first.Value.Label("app.kubernetes.io/managed-by"));
        Assert.Equal(KubeFailure.Conflict, second.Error?.Failure);
    }

    [Fact]
    public async Task List_SeveralPages_GivesAll()
    {
        await using var narrow = KubeHarness.For(plane.GatewayKubeconfig, options => options.ListPageItems = 2);
        foreach (var name in (string[])["a", "b", "c", "d", "e"]) await CreateAsync(name);

        var list = await narrow.Api.ListAsync(Applications.Kind, space, "app.kubernetes.io/managed-by=spark-gateway", null, Cancellation);
        var none = await narrow.Api.ListAsync(Applications.Kind, space, "app.kubernetes.io/managed-by=nobody", null, Cancellation);

        Assert.Equal(["a", "b", "c", "d", "e"], list.Value.Select(item => item.Key.Name).Order());
        Assert.Empty(none.Value);
    }

    [Fact]
    public async Task Get_KindThatTheClusterLacks_IsNothing()
    {
        var unknown = new ResourceKind("spark.apache.org", "v1", "sparkapplications", "SparkApplication");

        Assert.Null((await Api.GetAsync(unknown, new ObjectKey(space, "one"), Cancellation)).Value);
        Assert.Equal(KubeFailure.NotFound, (await Api.ListAsync(unknown, space, null, null, Cancellation)).Error?.Failure);
    }

    [Fact]
    public async Task LogTail_LongLog_GivesItsEnd()
    {
        await plane.KubectlAsync($$$"""
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker", "namespace": "{{{space}}}"},
             "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "shell:1", "command": ["sh", "-c", "seq 1 100000"]}]}}
            """, "apply", "-f", "-");
        await plane.KubectlAsync("", "-n", space, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/talker", "--timeout=60s");
        await using var narrow = KubeHarness.For(plane.GatewayKubeconfig, options => options.LogTailKilobytes = 1);

        var three = await Api.LogTailAsync(new ObjectKey(space, "talker"), "main", 3, previous: false, Cancellation);
        var bounded = await narrow.Api.LogTailAsync(new ObjectKey(space, "talker"), "main", 10_000, previous: false, Cancellation);

        Assert.Equal("99998\n99999\n100000\n", three.Value);
        Assert.Equal(1_024, bounded.Value.Length);
        Assert.EndsWith("\n100000\n", bounded.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReviewAccess_RightsOfTheGateway_HaveNoGap()
    {
        AccessRule[] rules = [new("sparkoperator.k8s.io", "sparkapplications", "get", "list", "watch", "create", "patch", "delete"), new("", "pods/log", "get"), new("", "secrets", "create", "delete")];

        Assert.Empty((await Api.ReviewAccessAsync(rules, Cancellation)).Value);
    }

    [Fact]
    public async Task ReviewAccess_MissingRight_SaysWhichRuleWhere()
    {
        await using var scoped = KubeHarness.For(Kubeconfigs.WithToken(plane, plane.ScopedToken), options => options.Namespaces = ["sjns-data-control", space]);

        var gaps = await scoped.Api.ReviewAccessAsync([new("", "pods", "watch"), new("", "pods/log", "get"), new("", "secrets", "list")], Cancellation);

        Assert.Equal(
            [$"pods watch {space}", $"pods/log get {space}", "secrets list sjns-data-control", $"secrets list {space}"],
            gaps.Value.Select(gap => $"{gap.Resource} {gap.Verb} {gap.Namespace}"));
        Assert.Contains("""{apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}""", gaps.Value[1].Text, StringComparison.Ordinal);
    }

    private Task<KubeResult<KubeObject>> CreateAsync(string name, Action<JsonObject>? change = null) =>
        Api.CreateAsync(Applications.Kind, Applications.Named(space, name, change), dryRun: false, Cancellation);

    private static void Expect(KubeResult<KubeObject> result, KubeFailure failure, ErrorCode code, string part)
    {
        Assert.Equal(failure, result.Error?.Failure);
        Assert.Equal(code, result.Error!.Error.Code);
        Assert.Contains(part, result.Error.Error.Text, StringComparison.Ordinal);
    }

    private string Policy() => $$$"""
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "{{{space}}}"},
           "spec": {"matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{{{space}}}"}},
                    "resourceRules": [{"apiGroups": ["sparkoperator.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}]},
                    "validations": [{"expression": "false", "message": "only on weekdays"}]}},
          {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "{{{space}}}"},
           "spec": {"policyName": "{{{space}}}", "validationActions": ["Deny"]}}]}
        """;

    private string Webhook() => $$$"""
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "{{{space}}}"},
         "webhooks": [{"name": "down.tests.example", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
           "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{{{space}}}"}},
           "clientConfig": {"url": "https://127.0.0.1:9/check"},
           "rules": [{"apiGroups": ["sparkoperator.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}]}]}
        """;
}
