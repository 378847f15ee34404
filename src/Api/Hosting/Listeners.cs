using System.Net;
using System.Net.Sockets;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Hosting;

/// <summary>All ports of the process, opened first: a port in use is found before a store is migrated or a driver started.</summary>
internal sealed class Listeners : IDisposable
{
    private readonly Dictionary<int, Socket> http = [];

    private Listeners()
    {
    }

    /// <summary>Null where Spark Connect is not served.</summary>
    public Socket? SparkConnect { get; private set; }

    /// <summary>Where /healthz, /readyz and /metrics answer.</summary>
    public IEnumerable<IPEndPoint> HttpEndpoints => http.Values.Select(socket => (IPEndPoint)socket.LocalEndPoint!);

    public static Result<Listeners> Open(GatewayOptions options)
    {
        var listeners = new Listeners();
        if (listeners.OpenAll(options) is not { } error) return listeners;
        listeners.Dispose();
        return error;
    }

    /// <summary>The socket for an endpoint that Kestrel asks for; its ports are distinct, which the configuration rules check.</summary>
    public Socket Http(EndPoint endpoint) => http[((IPEndPoint)endpoint).Port];

    public void Dispose()
    {
        SparkConnect?.Dispose();
        foreach (var socket in http.Values) socket.Dispose();
    }

    private GatewayError? OpenAll(GatewayOptions options)
    {
        if (options.SparkConnect.Enabled)
        {
            var opened = ListenSocket.Open(IPAddress.Parse(options.SparkConnect.Bind), options.SparkConnect.Port, "spark_connect");
            if (!opened.TryGet(out var socket, out var error)) return error;
            SparkConnect = socket;
        }

        if (OpenHttp(IPAddress.Parse(options.Admin.Bind), options.Admin.Port, "admin") is { } adminError) return adminError;
        var all = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        return options.Health.Port > 0 ? OpenHttp(all, options.Health.Port, "health") : null;
    }

    private GatewayError? OpenHttp(IPAddress bind, int port, string section)
    {
        if (!ListenSocket.Open(bind, port, section).TryGet(out var socket, out var error)) return error;
        http.Add(port, socket);
        return null;
    }
}
