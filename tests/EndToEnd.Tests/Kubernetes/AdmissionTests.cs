using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>Rules of the cluster's own that stand between the gateway and an application.</summary>
[Collection(nameof(Alone))]
public sealed class AdmissionTests(SharedPlane shared)
{
    private const string Policy =
        """
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "weekdays"},
           "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": ["sparkoperator.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["sparkapplications"]}]},
                    "validations": [{"expression": "false", "message": "no driver without a cost centre"}]}},
          {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "weekdays"},
           "spec": {"policyName": "weekdays", "validationActions": ["Deny"]}}]}
        """;

    /// <summary>Nobody listens there.</summary>
    private const string Webhook =
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "weekdays"},
         "webhooks": [{"name": "down.tests.example", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
           "clientConfig": {"url": "https://127.0.0.1:9/check"},
           "rules": [{"apiGroups": ["sparkoperator.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["sparkapplications"]}]}]}
        """;

    /// <summary>What the API server is asked until a rule is in force.</summary>
    private const string Application =
        """
        {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": {"name": "weekdays"},
         "spec": {"type": "Scala", "mode": "cluster", "sparkVersion": "4.2.0", "mainApplicationFile": "local:///job.jar", "driver": {}, "executor": {}}}
        """;

    [Fact]
    public async Task Policy_ThatDenies_IsQuoted()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600");
        await using var rule = await Rule.MakeAsync(scene, Policy);

        await FailedStart.AssertToldAsync(scene, gateway, "A rule of the cluster forbids this application", "no driver without a cost centre");
    }

    [Fact]
    public async Task Webhook_ThatStaysAway_IsToldAfterItsGrace()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sleep:600", "kubernetes.create_grace_seconds=3");
        await using var rule = await Rule.MakeAsync(scene, Webhook);

        await FailedStart.AssertToldAsync(scene, gateway, "The cluster cannot check new applications now", "down.tests.example", "has tried for 3 seconds (kubernetes.create_grace_seconds)");
    }

    [Fact]
    public async Task Webhook_ThatComesBack_IsWaitedFor()
    {
        var scene = await shared.SceneAsync();
        await using var gateway = await scene.GatewayAsync("sail:1");
        await using var client = PythonConsole.Start();
        Task<string> opening;
        await using (await Rule.MakeAsync(scene, Webhook))
        {
            opening = client.OpenAsync("patient", gateway.Url("wes", KubeScene.Team), KubeScene.Limit);
            await gateway.Process.LineAsync("the first refusal", line => line.Contains("The cluster cannot check new applications now", StringComparison.Ordinal), KubeScene.Limit);
        }

        Assert.Equal("rows 3\n", await opening);
        Assert.Single(await scene.NamesOfAsync(gateway));
        await scene.ClearAsync(gateway);
    }

    /// <summary>In force from when it is made until it is disposed.</summary>
    private sealed class Rule(KubeScene scene, string manifest) : IAsyncDisposable
    {
        public static async Task<Rule> MakeAsync(KubeScene scene, string manifest)
        {
            var rule = new Rule(scene, manifest);
            Assert.True(await rule.IsAcceptedAsync());
            await scene.Plane.KubectlAsync(manifest, "create", "-f", "-");
            await Deadlines.UntilAsync("the rule in force", async () => !await rule.IsAcceptedAsync());
            return rule;
        }

        public async ValueTask DisposeAsync()
        {
            await scene.Plane.KubectlAsync(manifest, "delete", "-f", "-");
            await Deadlines.UntilAsync("the rule's end", IsAcceptedAsync);
        }

        private async Task<bool> IsAcceptedAsync()
        {
            try
            {
                await scene.Plane.KubectlAsync(Application, "create", "-n", KubeScene.Namespace, "--dry-run=server", "-f", "-");
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
    }
}
