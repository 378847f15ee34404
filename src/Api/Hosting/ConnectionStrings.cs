using System.Net;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Hosting;

/// <summary>What a user pastes into SparkSession.builder.remote(...).</summary>
internal static class ConnectionStrings
{
    /// <summary>spark_connect.public_address, or as seen from this machine.</summary>
    public static string Of(SparkConnectOptions options) => Of(options, []);

    public static string ToPrecreated(SparkConnectOptions options, string clientSessionId) => Of(options, [$"session_id={clientSessionId}"]);

    private static string Of(SparkConnectOptions options, IEnumerable<string> parameters)
    {
        var all = string.Join(';', [.. options.Tls.CertFile.Length > 0 ? ["use_ssl=true"] : Array.Empty<string>(), .. parameters]);
        return $"sc://{Address(options)}{(all.Length > 0 ? $"/;{all}" : "")}";
    }

    private static string Address(SparkConnectOptions options)
    {
        if (options.PublicAddress.Length > 0) return options.PublicAddress;
        var bind = IPAddress.Parse(options.Bind);
        IPAddress[] reachedAsLocalhost = [IPAddress.Any, IPAddress.IPv6Any, IPAddress.Loopback, IPAddress.IPv6Loopback];
        var host = reachedAsLocalhost.Contains(bind) ? "localhost" : new IPEndPoint(bind, 0).ToString()[..^2];
        return $"{host}:{options.Port}";
    }
}
