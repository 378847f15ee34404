using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>Port 15002 with a certificate: a stock client that trusts it, and a renewal without a restart.</summary>
public sealed class TlsTests(SharedDrivers drivers) : IDisposable
{
    private const string Program =
        """
        from pyspark.sql import SparkSession
        spark = SparkSession.builder.remote(URL).getOrCreate()
        print("rows", spark.range(3).count(), len(spark.range(200_000).toPandas()))
        spark.stop()
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-tls-").FullName;

    private string CertFile => Path.Combine(folder, "cert.pem");

    private string KeyFile => Path.Combine(folder, "key.pem");

    [Fact]
    public async Task Python_TrustsTheCertificate_Works()
    {
        WriteCertificate("first");
        var driver = await drivers.SparkAsync();
        await using var gateway = await StartAsync(driver.Address);

        // The client reads the roots it trusts from this variable; there is no parameter for them.
        var program = $"import os\nos.environ['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = '{CertFile}'\n{Program}";
        var output = await PythonClient.RunAsync(program, gateway.Url("tls", "use_ssl=true", "x-spark-session-id=app", "x-spark-namespace=ns"));

        Assert.Contains("rows 3 200000", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_RenewedOnDisk_IsUsedWithoutRestart()
    {
        WriteCertificate("first");
        await using var gateway = await StartAsync("127.0.0.1:1");
        Assert.Equal("CN=first", await SubjectAsync(gateway.Port));

        WriteCertificate("second");
        File.SetLastWriteTimeUtc(CertFile, File.GetLastWriteTimeUtc(CertFile).AddSeconds(2));
        await Deadlines.UntilAsync("the renewed certificate", async () => await SubjectAsync(gateway.Port) == "CN=second");
    }

    [Fact]
    public async Task Certificate_RenewedWithRubbish_KeepsTheOldOne()
    {
        WriteCertificate("first");
        await using var gateway = await StartAsync("127.0.0.1:1");
        await File.WriteAllTextAsync(CertFile, "not a certificate", TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(CertFile, File.GetLastWriteTimeUtc(CertFile).AddSeconds(2));

        await Deadlines.UntilAsync(
            "the line about the broken certificate",
            async () => await SubjectAsync(gateway.Port) == "CN=first" && gateway.Process.Output.Contains("cannot be used; the one before stays", StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<GatewayProcess> StartAsync(string driver) => GatewayProcess.StartAsync(new GatewaySetup
    {
        Attached = [new Attached("app", "ns", driver)],
        Settings = [$"spark_connect.tls.cert_file={CertFile}", $"spark_connect.tls.key_file={KeyFile}"],
    });

    private void WriteCertificate(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertFile, certificate.ExportCertificatePem());
    }

    private static async Task<string> SubjectAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await using var stream = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2] }, TestContext.Current.CancellationToken);
        Assert.Equal(SslApplicationProtocol.Http2, stream.NegotiatedApplicationProtocol);
        return stream.RemoteCertificate!.Subject;
    }
}
