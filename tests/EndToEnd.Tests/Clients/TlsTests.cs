using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Clients over TLS: what a token in the connection string makes every stock client use.</summary>
public sealed class TlsTests(SharedDrivers drivers) : IDisposable
{
    private const string Program =
        """
        import sys
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("rows", len(spark.range(300_000).toPandas()))
        spark.stop()
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-tls-").FullName;

    [Fact]
    public async Task Python_OverTls_WorksAndFollowsANewCertificate()
    {
        WriteCertificate();
        var driver = await drivers.SparkAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            Attached = [new Attached("shared", "e2e", driver.Address)],
            Settings = [$"spark_connect.tls.cert_file={CertificateFile}", $"spark_connect.tls.key_file={KeyFile}"],
        });
        var url = gateway.Url("ada", "use_ssl=true", "x-spark-session-id=shared");

        Assert.Contains("rows 300000", await RunAsync(url), StringComparison.Ordinal);

        // This client trusts the new certificate and no other.
        WriteCertificate();
        Assert.Contains("rows 300000", await RunAsync(url), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PlainText_ToATlsPort_IsClosed()
    {
        WriteCertificate();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            Settings = [$"spark_connect.tls.cert_file={CertificateFile}", $"spark_connect.tls.key_file={KeyFile}"],
        });

        var answer = await RawH2Client.ExchangeAsync(gateway.Port, H2Connection.Preface);

        Assert.DoesNotContain((byte)FrameType.Settings, answer.Skip(3).Take(1));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string CertificateFile => Path.Combine(folder, "tls.crt");

    private string KeyFile => Path.Combine(folder, "tls.key");

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
    }

    private async Task<string> RunAsync(string url)
    {
        await using var client = PythonClient.Start(Program, url, ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", CertificateFile));
        return await PythonClient.GoodEndAsync(client);
    }
}
