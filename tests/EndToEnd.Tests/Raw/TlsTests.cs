using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>The port with a certificate: HTTP/2 over TLS for stock clients, and a renewed certificate without a restart.</summary>
public sealed class TlsTests(SharedDrivers drivers) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-tls-").FullName;

    private string CertFile => Path.Combine(folder, "cert.pem");

    private string KeyFile => Path.Combine(folder, "key.pem");

    private GatewaySetup Setup => new() { Settings = [$"spark_connect.tls.cert_file={CertFile}", $"spark_connect.tls.key_file={KeyFile}"] };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Call_OverTls_ReachesTheDriverAndNoOtherProtocolDoes()
    {
        using var certificate = Write();
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);

        Assert.Equal(certificate.Thumbprint, await CallAsync(gateway.Process.Port));
        Assert.Equal("http", driver.Calls.Single().Headers[":scheme"]);
        Assert.Empty(await RawH2Client.ExchangeAsync(gateway.Process.Port, H2Connection.Preface));
        Assert.Equal(certificate.Thumbprint, await CallAsync(gateway.Process.Port));
    }

    [Fact]
    public async Task Handshake_ThatDoesNotCome_ClosesTheConnectionWithALogLine()
    {
        using var certificate = Write();
        await using var gateway = await RawGateway.StartAsync(Setup with { Settings = [.. Setup.Settings, "relay.slow_peer_seconds=1", "relay.max_connections=1"] });
        using var silent = await RawH2Client.DialAsync(gateway.Process.Port);

        Assert.Empty(await RawH2Client.ExchangeAsync(gateway.Process.Port, Array.Empty<byte>()));
        Assert.Equal(0, await silent.ReceiveAsync(new byte[1]).Within("the end of the silent connection"));

        await gateway.Process.Process.LineAsync("the cap", line => line.Contains("more connections than relay.max_connections", StringComparison.Ordinal));
        await gateway.Process.Process.LineAsync("the handshake", line => line.Contains("no TLS handshake within relay.slow_peer_seconds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Certificate_ThatIsRenewed_IsUsedWithoutARestart()
    {
        using var old = Write();
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup, driver.Address);
        Assert.Equal(old.Thumbprint, await CallAsync(gateway.Process.Port));

        using var renewed = Write();

        await Deadlines.UntilAsync("the renewed certificate", async () => await CallAsync(gateway.Process.Port) == renewed.Thumbprint);
    }

    [Fact]
    public async Task PySpark_OverTlsWithAToken_RunsAQuery()
    {
        const string Token = "0123456789abcdef0123456789abcdef";
        using var certificate = Write();
        var tokens = Path.Combine(folder, "tokens");
        await File.WriteAllTextAsync(tokens, $"ada: {Token}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(tokens, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var driver = await drivers.SparkAsync();
        await using var gateway = await RawGateway.StartAsync(Setup with { Settings = [.. Setup.Settings, $"spark_connect.token_file={tokens}"] }, driver.Address);

        var output = await PythonClient.RunAsync(
            $"""
            import os
            os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = "{CertFile}"
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.remote(URL).getOrCreate()
            print("sum", spark.range(100000).selectExpr("sum(id) AS s").first().s)
            spark.stop()
            """,
            gateway.Process.Url("ada", "use_ssl=true", $"token={Token}", $"x-spark-session-id={RawGateway.Name(0)}"));

        Assert.Contains("sum 4999950000", output, StringComparison.Ordinal);
    }

    /// <summary>Key first, as the pair is looked at by the times of both.</summary>
    private X509Certificate2 Write()
    {
        var certificate = TestCertificate.Make();
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertFile, certificate.ExportCertificatePem());
        return certificate;
    }

    /// <summary>One good call on a new connection; the thumbprint of the certificate that it was shown.</summary>
    private static async Task<string> CallAsync(int port)
    {
        var shown = "";
        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => (shown = certificate!.GetCertHashString()).Length > 0,
            },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"https://localhost:{port}{SparkRpc.Config}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Grpc.Frame(SparkRpc.Request(RawGateway.NewSession(), "ada"))),
        };
        foreach (var (name, value) in RawGateway.To(0)) request.Headers.Add(name, value);
        request.Headers.TE.ParseAdd("trailers");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var response = await http.SendAsync(request).Within("an answer over TLS");
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        return shown;
    }
}
