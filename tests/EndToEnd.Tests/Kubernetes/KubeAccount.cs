using System.Text.Json;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A service account for one test's gateway, with the rights of a release in the sessions' namespace, and a kubeconfig whose token is in a file.</summary>
internal sealed class KubeAccount : IAsyncDisposable
{
    private const string Home = "spark-gateway";

    private readonly KubePlane plane;
    private readonly string name;
    private readonly string folder;

    private KubeAccount(KubePlane plane, string name)
    {
        (this.plane, this.name) = (plane, name);
        folder = Directory.CreateDirectory(Path.Combine(plane.StateDir, "accounts", name)).FullName;
    }

    public string User => $"system:serviceaccount:{Home}:{name}";

    public string Kubeconfig => Path.Combine(folder, "kubeconfig");

    private string TokenFile => Path.Combine(folder, "token");

    /// <param name="without">A right that it does not get, as VERB RESOURCE.</param>
    public static async Task<KubeAccount> CreateAsync(KubeScene scene, string without = "")
    {
        var account = new KubeAccount(scene.Plane, $"gateway-{Guid.NewGuid():N}"[..20]);
        await account.plane.KubectlAsync(account.Role(without), "apply", "-f", "-");
        await account.GrantAsync();
        await account.plane.KubectlAsync("", "-n", Home, "create", "serviceaccount", account.name);
        await account.WriteTokenAsync();
        await File.WriteAllTextAsync(account.Kubeconfig, account.Config());
        return account;
    }

    public Task GrantAsync() =>
        plane.KubectlAsync("", "-n", KubeScene.Namespace, "create", "rolebinding", name, $"--role={name}", $"--serviceaccount={Home}:{name}");

    public Task RevokeAsync() => plane.KubectlAsync("", "-n", KubeScene.Namespace, "delete", "rolebinding", name);

    /// <summary>Another account takes its name: its rights go on, its tokens do not.</summary>
    public async Task ReplaceAsync()
    {
        await plane.KubectlAsync("", "-n", Home, "delete", "serviceaccount", name);
        await plane.KubectlAsync("", "-n", Home, "create", "serviceaccount", name);
    }

    /// <summary>A new token, put into the file in one step as the kubelet does.</summary>
    public async Task WriteTokenAsync()
    {
        await File.WriteAllTextAsync(TokenFile + ".new", await plane.KubectlAsync("", "-n", Home, "create", "token", name));
        File.Move(TokenFile + ".new", TokenFile, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        await plane.KubectlAsync("", "-n", Home, "delete", "serviceaccount", name);
        await plane.KubectlAsync("", "-n", KubeScene.Namespace, "delete", "--ignore-not-found", $"rolebinding/{name}", $"role/{name}");
    }

    private string Role(string without)
    {
        (string Group, string Resource, string[] Verbs)[] rights =
        [
            ("sparkoperator.k8s.io", "sparkapplications", ["get", "list", "watch", "create", "delete"]),
            ("", "pods", ["get", "list", "watch"]),
            ("", "pods/log", ["get"]),
            ("", "events", ["list"]),
            ("", "secrets", ["create"]),
        ];
        var rules = rights
            .Select(right => right with { Verbs = [.. right.Verbs.Where(verb => $"{verb} {right.Resource}" != without)] })
            .Where(right => right.Verbs.Length > 0)
            .Select(right => new { apiGroups = new[] { right.Group }, resources = new[] { right.Resource }, verbs = right.Verbs });
        return JsonSerializer.Serialize(new { apiVersion = "rbac.authorization.k8s.io/v1", kind = "Role", metadata = new { name, @namespace = KubeScene.Namespace }, rules });
    }

    private string Config() => $$$"""
        {"apiVersion": "v1", "kind": "Config", "current-context": "it",
         "clusters": [{"name": "it", "cluster": {"server": "{{{plane.ApiServer}}}", "certificate-authority": "{{{plane.CaFile}}}"}}],
         "users": [{"name": "it", "user": {"tokenFile": "{{{TokenFile}}}"}}],
         "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}]}
        """;
}
