using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Helm;

/// <summary>
/// The program as the chart's containers start it, with their arguments and variables and the rendered configuration: what
/// a pod sees below /etc/spark-gateway and /var/lib/spark-gateway is in a folder of its own here.
/// </summary>
internal sealed class RenderedGateway : IDisposable
{
    private const string Mounts = "/etc/spark-gateway";
    private const string Data = "/var/lib/spark-gateway";

    private readonly Manifests rendered;
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-rendered-").FullName;

    /// <param name="connections">The connection strings of PostgreSQL: of the owner and of the gateway.</param>
    public RenderedGateway(Manifests rendered, (string Owner, string App)? connections = null)
    {
        this.rendered = rendered;
        Write("config/gateway.yml", Here(rendered.Config));
        Write("postgresql/connection", connections?.App ?? "Host=db;Database=spark_gateway;Username=app");
        Write("postgresql-owner/connection", connections?.Owner ?? "Host=db;Database=spark_gateway;Username=owner");
        Write("driver-token-key/key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        Write("client-tokens/tokens", "ana: 0123456789abcdef");
        Write("admin-tokens/tokens", "ops: fedcba9876543210");
        if (rendered.Config.Contains("/tls/", StringComparison.Ordinal)) WriteCertificate();
        Directory.CreateDirectory(Path.Combine(folder, "data"));
    }

    /// <summary>Runs a container's command line, or another verb with the same configuration.</summary>
    public OwnedProcess Start(string container, string? verb = null, params IEnumerable<(string, string?)> environment)
    {
        var given = Manifests.Texts(rendered.Container(container)["args"]).Select(Here).ToList();
        if (verb is not null) given[0] = verb;
        var variables = rendered.Container(container)["env"]!.AsArray().Select(item => ((string)item!["name"]!, (string?)item["value"]));
        return OwnedProcess.Start(
            container, Path.Combine(AppContext.BaseDirectory, "spark-gateway"), given, [.. variables, ("KUBECONFIG", null), .. environment], Path.Combine(folder, "data"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Here(string text) => text
        .Replace(Mounts, Path.Combine(folder, "etc"), StringComparison.Ordinal)
        .Replace(Data, Path.Combine(folder, "data"), StringComparison.Ordinal);

    private void Write(string path, string text)
    {
        var file = Path.Combine(folder, "etc", path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        // As the kubelet mounts a Secret with defaultMode 0440 and an fsGroup.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
    }

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=spark.example", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        Write("tls/tls.crt", certificate.ExportCertificatePem());
        Write("tls/tls.key", key.ExportPkcs8PrivateKeyPem());
    }

}
