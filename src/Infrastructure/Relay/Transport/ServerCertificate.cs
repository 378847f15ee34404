using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// The certificate of port 15002, from PEM files. They are looked at again at a handshake, at most once a second: a
/// renewed certificate is used without a restart, a broken one is reported and the old one stays.
/// </summary>
internal sealed partial class ServerCertificate
{
    private const long RecheckMs = 1000;

    private readonly TlsOptions files;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private SslServerAuthenticationOptions current;
    private (DateTime Cert, DateTime Key) stamp;
    private long checkedAt;

    public ServerCertificate(TlsOptions files, TimeProvider time, ILogger logger)
    {
        this.files = files;
        this.time = time;
        this.logger = logger;
        stamp = Stamp();
        current = Load();
        checkedAt = time.GetTimestamp();
    }

    public SslServerAuthenticationOptions Options()
    {
        lock (gate)
        {
            if (time.GetElapsedTime(checkedAt).TotalMilliseconds < RecheckMs) return current;
            checkedAt = time.GetTimestamp();
            var seen = Stamp();
            if (seen == stamp) return current;
            try
            {
                current = Load();
                stamp = seen;
                Reloaded(logger, files.CertFile);
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                NotReloaded(logger, files.CertFile, e.Message);
            }

            return current;
        }
    }

    private (DateTime, DateTime) Stamp() => (File.GetLastWriteTimeUtc(files.CertFile), File.GetLastWriteTimeUtc(files.KeyFile));

    private SslServerAuthenticationOptions Load()
    {
        using var pem = X509Certificate2.CreateFromPemFile(files.CertFile, files.KeyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(files.CertFile);
        if (chain.Count > 0) chain.RemoveAt(0);
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = false,
        };
    }

    [LoggerMessage(2020, LogLevel.Information, "Certificate {File} was renewed")]
    private static partial void Reloaded(ILogger logger, string file);

    [LoggerMessage(2021, LogLevel.Error, "Certificate {File} has changed and cannot be used; the one before stays: {Reason}")]
    private static partial void NotReloaded(ILogger logger, string file, string reason);
}
