using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>Every way into a real API server, and those that must stay shut.</summary>
[Collection(KubeApiPlane.Name)]
public sealed class KubeConnectionTests(NodePlane shared) : IAsyncLifetime
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private KubePlane plane = null!;

    public async ValueTask InitializeAsync() => plane = await shared.PlaneAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Kubeconfig_Token_OpensTheWay() => await ExpectOpenAsync(Kubeconfigs.WithToken(plane, plane.Token));

    [Fact]
    public async Task Kubeconfig_TokenFile_IsRelativeToItAndWins()
    {
        var path = Kubeconfigs.Write(plane, new() { ["tokenFile"] = "my.token", ["token"] = "wrong" });
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(path)!, "my.token"), plane.Token + "\n", Cancellation);

        await ExpectOpenAsync(path);
    }

    [Fact]
    public async Task Kubeconfig_ClientCertificateFiles_OpenTheWay()
    {
        var (certificate, key) = ClientCertificate();
        var path = Kubeconfigs.Write(plane, new() { ["client-certificate"] = "client.crt", ["client-key"] = "client.key" });
        var folder = Path.GetDirectoryName(path)!;
        await File.WriteAllTextAsync(Path.Combine(folder, "client.crt"), certificate, Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "client.key"), key, Cancellation);

        await ExpectOpenAsync(path);
    }

    [Fact]
    public async Task Kubeconfig_DataInPlace_OpensTheWay()
    {
        var (certificate, key) = ClientCertificate();
        var path = Kubeconfigs.Write(plane, new() { ["client-certificate-data"] = Base64(certificate), ["client-key-data"] = Base64(key) }, cluster =>
        {
            cluster.Remove("certificate-authority");
            cluster["certificate-authority-data"] = Base64(File.ReadAllText(plane.CaFile));
        });

        await ExpectOpenAsync(path);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("certificate")]
    public async Task Kubeconfig_Command_GivesTheCredentialOnce(string kind)
    {
        var (certificate, key) = ClientCertificate();
        var status = kind == "token"
            ? $$$"""{"token": "{{{plane.Token}}}"}"""
            : $$$"""{"clientCertificateData": {{{System.Text.Json.JsonSerializer.Serialize(certificate)}}}, "clientKeyData": {{{System.Text.Json.JsonSerializer.Serialize(key)}}}}""";
        var path = WithCommand($$$"""{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{{status}}}}""");

        await using var gateway = KubeHarness.For(path);
        for (var i = 0; i < 3; i++) await ExpectOpenAsync(gateway);

        // The argument with a blank arrived as one, the environment is as the protocol says, and standard input is closed.
        var runs = await File.ReadAllLinesAsync(Path.Combine(Path.GetDirectoryName(path)!, "runs"), Cancellation);
        var run = Assert.Single(runs);
        Assert.StartsWith("a b|2|x=y|0|", run, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"ExecCredential\"", run, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 3", "exit code 3: no luck")]
    [InlineData("echo hush-hush", "no ExecCredential")]
    [InlineData("echo '{\"apiVersion\": \"client.authentication.k8s.io/v1beta1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"hush-hush\"}}'", "v1beta1")]
    [InlineData("sleep 60", "did not end within 1 s")]
    public async Task Kubeconfig_CommandFails_SaysWhyAndShowsNoSecret(string script, string reason)
    {
        var path = WithCommand("", script);

        await using var gateway = KubeHarness.For(path, options => options.CredentialCommandSeconds = script.StartsWith("sleep", StringComparison.Ordinal) ? 1 : 60);
        var error = (await CallAsync(gateway)).Error;

        Assert.Equal(KubeFailure.Unauthorized, error?.Failure);
        Assert.Contains(reason, error!.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", error.Error.Text + gateway.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubeconfigs_Several_FirstValueWins()
    {
        var second = Kubeconfigs.WithToken(plane, plane.Token);
        var first = Kubeconfigs.Save(plane, """{"apiVersion": "v1", "kind": "Config", "current-context": "it", "users": [{"name": "c", "user": {"token": "x"}}]}""");
        await using var gateway = new KubeHarness(_ => { }, new AccessEnvironment(name => name == "KUBECONFIG" ? $"/nonexistent:{first}:{second}" : null, "/nonexistent"));

        await ExpectOpenAsync(gateway);
    }

    [Fact]
    public async Task Kubeconfig_OtherContext_IsUsed()
    {
        var path = Kubeconfigs.WithToken(plane, plane.Token);
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Cancellation)).Replace("\"current-context\": \"it\"", "\"current-context\": \"none\"", StringComparison.Ordinal), Cancellation);

        await ExpectOpenAsync(path, "it");
        await ExpectShutAsync(path, KubeFailure.Unauthorized, "no context 'none'");
    }

    [Fact]
    public async Task ServiceAccount_OfAPod_OpensTheWay()
    {
        await using var gateway = new KubeHarness(_ => { }, InPod(plane.Token));

        await ExpectOpenAsync(gateway);
        Assert.Contains("by the pod's service account", gateway.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_Rotated_IsReadAgainWhenRefused()
    {
        var pod = InPod("expired");
        await using var gateway = new KubeHarness(_ => { }, pod);

        Assert.Equal(KubeFailure.Unauthorized, (await CallAsync(gateway)).Error?.Failure);
        await File.WriteAllTextAsync(pod.InServiceAccount("token"), plane.Token, Cancellation);

        await ExpectOpenAsync(gateway);
    }

    [Fact]
    public async Task Token_FileGone_KeepsTheOneBefore()
    {
        var pod = InPod(plane.Token);
        await using var gateway = new KubeHarness(options => options.Kubernetes.CredentialPollSeconds = 0, pod);
        Assert.True((await CallAsync(gateway)).IsOk);

        File.Delete(pod.InServiceAccount("token"));

        await ExpectOpenAsync(gateway);
        Assert.Contains("The token before stays in use", gateway.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubeconfig_Changed_IsReadAgain()
    {
        var path = Kubeconfigs.WithToken(plane, "expired");
        await using var gateway = KubeHarness.For(path);
        Assert.Equal(KubeFailure.Unauthorized, (await CallAsync(gateway)).Error?.Failure);

        File.Copy(Kubeconfigs.WithToken(plane, plane.Token), path, overwrite: true);

        await ExpectOpenAsync(gateway);
    }

    [Fact]
    public async Task Certificate_FromAnotherCa_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=another", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var other = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var ca = Kubeconfigs.Save(plane, other.ExportCertificatePem(), "other.crt");

        await ExpectShutAsync(Kubeconfigs.Write(plane, new() { ["token"] = plane.Token }, cluster => cluster["certificate-authority"] = ca), KubeFailure.Unreachable, "certificate");
        await ExpectShutAsync(Kubeconfigs.Write(plane, new() { ["token"] = plane.Token }, cluster => cluster.Remove("certificate-authority")), KubeFailure.Unreachable, "certificate");
    }

    [Fact]
    public async Task Certificate_OfAnotherHost_IsRefused()
    {
        await ExpectOpenAsync(Kubeconfigs.Write(plane, new() { ["token"] = plane.Token }, cluster => cluster["tls-server-name"] = "kubernetes.default"));
        await ExpectShutAsync(Kubeconfigs.Write(plane, new() { ["token"] = plane.Token }, cluster => cluster["tls-server-name"] = "stranger.example"), KubeFailure.Unreachable, "certificate");
    }

    [Fact]
    public async Task Certificate_NotCheckedByConfiguration_IsWarnedOf()
    {
        await using var gateway = KubeHarness.For(Kubeconfigs.Write(plane, new() { ["token"] = plane.Token }, cluster =>
        {
            cluster.Remove("certificate-authority");
            cluster["insecure-skip-tls-verify"] = true;
        }));

        Assert.True((await CallAsync(gateway)).IsOk);
        Assert.Contains("Warning: The certificate of", gateway.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubeconfig_ActAs_HasTheOthersRights()
    {
        await using var gateway = KubeHarness.For(Kubeconfigs.Write(plane, new() { ["token"] = plane.AdminToken, ["as"] = "jo", ["as-groups"] = new[] { "system:authenticated" } }));

        var error = (await CallAsync(gateway)).Error;

        Assert.Equal(KubeFailure.Forbidden, error?.Failure);
        Assert.Contains("User \"jo\"", error!.Error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "is not as in a kubeconfig")]
    [InlineData("{\"current-context\": \"it\"}", "no context 'it'")]
    [InlineData("{\"current-context\": \"it\", \"contexts\": [{\"name\": \"it\", \"context\": {\"cluster\": \"a\"}}]}", "cluster 'a'")]
    public async Task Kubeconfig_NotOne_SaysWhatIsMissing(string content, string reason) =>
        await ExpectShutAsync(Kubeconfigs.Save(plane, content), KubeFailure.Unauthorized, reason);

    private static async Task<KubeResult<IReadOnlyList<KubeObject>>> CallAsync(KubeHarness gateway) =>
        await gateway.Api.ListAsync(Applications.Kind, "sjns-data-control", null, null, Cancellation);

    private static async Task ExpectOpenAsync(string kubeconfig, string context = "")
    {
        await using var gateway = KubeHarness.For(kubeconfig, options => options.Context = context);
        await ExpectOpenAsync(gateway);
    }

    private static async Task ExpectOpenAsync(KubeHarness gateway)
    {
        var result = await CallAsync(gateway);
        Assert.True(result.IsOk, result.Error?.Error.Text);
    }

    private static async Task ExpectShutAsync(string kubeconfig, KubeFailure failure, string reason)
    {
        await using var gateway = KubeHarness.For(kubeconfig, options => options.RetryAttempts = 0);
        var error = (await CallAsync(gateway)).Error;
        Assert.Equal(failure, error?.Failure);
        Assert.Contains(reason, error!.Error.Text, StringComparison.Ordinal);
    }

    /// <summary>As inside a pod: the folder that the kubelet keeps, and the variables of the API server's service.</summary>
    private AccessEnvironment InPod(string token)
    {
        var folder = Path.GetDirectoryName(Kubeconfigs.Save(plane, token, "token"))!;
        File.Copy(plane.CaFile, Path.Combine(folder, "ca.crt"));
        return new AccessEnvironment(
            name => name switch
            {
                "KUBERNETES_SERVICE_HOST" => plane.ApiServer.Host,
                "KUBERNETES_SERVICE_PORT" => $"{plane.ApiServer.Port}",
                _ => null,
            },
            folder);
    }

    /// <summary>A kubeconfig whose user is a command that notes how it was called and prints this.</summary>
    private string WithCommand(string output, string script = "")
    {
        var path = Kubeconfigs.Write(plane, new()
        {
            ["exec"] = new
            {
                apiVersion = "client.authentication.k8s.io/v1",
                command = "./credential.sh",
                args = new[] { "a b", "c" },
                env = new[] { new { name = "X", value = "x=y" } },
                interactiveMode = "Never",
            },
        });
        var program = Path.Combine(Path.GetDirectoryName(path)!, "credential.sh");
        File.WriteAllText(program, $"""
            #!/bin/sh
            cd "$(dirname "$0")"
            echo "$1|$#|$X|$(wc -c)|$KUBERNETES_EXEC_INFO" >>runs
            echo "no luck" >&2
            {script}
            cat <<'OUTPUT'
            {output}
            OUTPUT
            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Of an administrator, from the plane's CA.</summary>
    private (string Certificate, string Key) ClientCertificate()
    {
        using var ca = X509Certificate2.CreateFromPemFile(plane.CaFile, Path.ChangeExtension(plane.CaFile, ".key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=system:masters, CN=tester", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var made = request.Create(ca, ca.NotBefore, ca.NotAfter, Guid.NewGuid().ToByteArray());
        return (made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(text));
}
