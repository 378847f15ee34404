using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>What the service account of an installed release can do: asked and tried with its own token on a real API server.</summary>
[Collection(nameof(ChartPlane))]
public sealed class ChartRightsTests(ChartPlane planes)
{
    private const string Mine = "sjns-data-staging";
    private const string Foreign = "sjns-ml-prod";

    private static readonly string[] Work = ["create", "delete", "get", "list", "watch"];

    public static TheoryData<string, string[]> Rights => new()
    {
        {
            "flavours={spark-application}",
            ["events list", "pods get,list,watch", "pods/log get", "secrets create", $"sparkoperator.k8s.io/sparkapplications {string.Join(',', Work)}"]
        },
        {
            "flavours={spark-connect}",
            ["events list", "pods get,list,watch", "pods/log get", "secrets create", $"sparkoperator.k8s.io/sparkconnects {string.Join(',', Work)}"]
        },
        {
            "flavours={apache}",
            ["events list", "pods get,list,watch", "pods/log get", "secrets create", $"spark.apache.org/sparkapplications {string.Join(',', Work)}"]
        },
    };

    [Theory]
    [MemberData(nameof(Rights))]
    public async Task Account_OfARelease_HasExactlyTheRightsOfItsFlavours(string flavours, string[] rights)
    {
        await using var release = await InstallAsync($"sessions.{flavours}");

        Assert.Equal(rights, await release.RulesAsync(Mine));
        Assert.Empty(await release.RulesAsync(Foreign));
        Assert.Empty(await release.RulesAsync(release.Namespace));
    }

    [Fact]
    public async Task Account_ClusterWide_HasThemInNamespacesToCome()
    {
        await using var release = await InstallAsync("sessions.clusterWide=true");

        Assert.Equal(await release.RulesAsync(Mine), await release.RulesAsync(Foreign));
        Assert.Equal(5, (await release.RulesAsync("not-there-yet")).Count);
    }

    [Fact]
    public async Task Calls_WithItsToken_AreAnsweredAsTheRoleSays()
    {
        (string Method, string Path, HttpStatusCode Status)[] calls =
        [
            ("GET", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications", HttpStatusCode.OK),
            ("GET", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications?watch=1&timeoutSeconds=1", HttpStatusCode.OK),
            ("GET", "/api/v1/namespaces/sjns-data-staging/pods?labelSelector=spark-role%3Ddriver", HttpStatusCode.OK),
            ("GET", "/api/v1/namespaces/sjns-data-staging/pods/nobody/log", HttpStatusCode.NotFound),
            ("GET", "/api/v1/namespaces/sjns-data-staging/events", HttpStatusCode.OK),
            ("DELETE", "/api/v1/namespaces/sjns-data-staging/secrets/nobody", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/namespaces/sjns-data-staging/secrets", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/namespaces/sjns-data-staging/secrets/nobody", HttpStatusCode.Forbidden),
            ("POST", "/api/v1/namespaces/sjns-data-staging/pods", HttpStatusCode.Forbidden),
            ("DELETE", "/api/v1/namespaces/sjns-data-staging/pods/nobody", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/namespaces/sjns-data-staging/pods/nobody/exec?command=sh&stdout=1", HttpStatusCode.Forbidden),
            ("PUT", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications/nobody", HttpStatusCode.Forbidden),
            ("PATCH", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications/nobody", HttpStatusCode.Forbidden),
            ("DELETE", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications/nobody", HttpStatusCode.NotFound),
            ("POST", "/api/v1/namespaces/sjns-data-staging/secrets", HttpStatusCode.UnprocessableEntity),
            ("PUT", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-data-staging/sparkapplications/nobody/status", HttpStatusCode.Forbidden),
            ("GET", "/apis/sparkoperator.k8s.io/v1alpha1/namespaces/sjns-data-staging/sparkconnects", HttpStatusCode.Forbidden),
            ("GET", "/apis/sparkoperator.k8s.io/v1beta2/sparkapplications", HttpStatusCode.Forbidden),
            ("GET", "/apis/sparkoperator.k8s.io/v1beta2/namespaces/sjns-ml-prod/sparkapplications", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/namespaces/kube-system/pods", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/nodes", HttpStatusCode.Forbidden),
            ("POST", "/apis/coordination.k8s.io/v1/namespaces/rights/leases", HttpStatusCode.Forbidden),
            ("GET", "/api/v1/namespaces/rights/configmaps", HttpStatusCode.Forbidden),
            ("GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/sjns-data-staging/rolebindings", HttpStatusCode.Forbidden),
        ];
        await using var release = await InstallAsync();

        var answers = new List<(string, string, HttpStatusCode)>();
        foreach (var (method, path, _) in calls) answers.Add((method, path, await release.CallAsync(new HttpMethod(method), path)));

        Assert.Equal(calls, answers);
    }

    private async Task<InstalledRelease> InstallAsync(params string[] values) => await InstalledRelease.CreateAsync(await planes.PlaneAsync(), values);

    /// <summary>A release of the chart, and a client that has its service account's token and nothing else.</summary>
    private sealed class InstalledRelease : IAsyncDisposable
    {
        private readonly KubePlane plane;
        private readonly HttpClient client;

        private InstalledRelease(KubePlane plane, HttpClient client)
        {
            this.plane = plane;
            this.client = client;
        }

        public string Namespace => "rights";

        public static async Task<InstalledRelease> CreateAsync(KubePlane plane, string[] values)
        {
            const string space = "rights";
            (await Chart.HelmAsync(["install", "demo", Chart.Folder, "--create-namespace", "--namespace", space, "--kubeconfig", plane.AdminKubeconfig, .. Chart.Values("embedded", values)])).Good();
            var token = await plane.KubectlAsync("", "-n", space, "create", "token", Chart.FullName);
            var authority = X509CertificateLoader.LoadCertificateFromFile(plane.CaFile);
            var handler = new SocketsHttpHandler();
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(authority);
            var client = new HttpClient(handler) { BaseAddress = plane.ApiServer };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
            return new InstalledRelease(plane, client);
        }

        /// <summary>All that it may do in a namespace, without what every account may.</summary>
        public async Task<IReadOnlyList<string>> RulesAsync(string space)
        {
            var review = new JsonObject { ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = "SelfSubjectRulesReview", ["spec"] = new JsonObject { ["namespace"] = space } }.ToJsonString();
            using var body = new StringContent(review, Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", UriKind.Relative), body);
            var rules = JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["status"]!;
            Assert.False((bool)rules["incomplete"]!);
            var all =
                from rule in rules["resourceRules"]!.AsArray()
                from @group in Manifests.Texts(rule["apiGroups"])
                where @group is not ("authorization.k8s.io" or "authentication.k8s.io")
                from resource in Manifests.Texts(rule["resources"])
                from verb in Manifests.Texts(rule["verbs"])
                group verb by @group.Length > 0 ? $"{@group}/{resource}" : resource;
            return [.. all.Select(right => $"{right.Key} {string.Join(',', right.Distinct().Order(StringComparer.Ordinal))}").Order(StringComparer.Ordinal)];
        }

        public async Task<HttpStatusCode> CallAsync(HttpMethod method, string path)
        {
            using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
            if (method == HttpMethod.Patch) request.Content = new StringContent("{}", Encoding.UTF8, "application/merge-patch+json");
            else if (method == HttpMethod.Post || method == HttpMethod.Put) request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            return answer.StatusCode;
        }

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            (await Chart.HelmAsync(["uninstall", "demo", "--namespace", Namespace, "--kubeconfig", plane.AdminKubeconfig])).Good();
        }
    }
}
