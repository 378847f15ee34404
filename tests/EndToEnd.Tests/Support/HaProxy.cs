using System.Globalization;
using System.Net.Sockets;
using System.Text;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>A real balancer before a gateway, which hands TCP on with a PROXY protocol header and checks the gateway's health.</summary>
internal sealed class HaProxy : IAsyncDisposable
{
    private const string Program = "/usr/sbin/haproxy";

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-haproxy-").FullName;
    private OwnedProcess process = null!;

    private HaProxy()
    {
    }

    public int Port { get; } = Ports.Free();

    private string ControlSocket => Path.Combine(folder, "control");

    /// <param name="sends">send-proxy-v2, or send-proxy for version 1.</param>
    public static async Task<HaProxy> StartAsync(int gatewayPort, string sends)
    {
        Assert.SkipUnless(File.Exists(Program), "haproxy is not installed");
        var proxy = new HaProxy();
        var file = Path.Combine(proxy.folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, proxy.Configuration(gatewayPort, sends));
        proxy.process = OwnedProcess.Start("haproxy", Program, ["-db", "-f", file], [], proxy.folder);
        await Deadlines.UntilAsync("haproxy's port", () => Ports.IsOpenAsync(proxy.Port));
        return proxy;
    }

    /// <summary>What its health check says of the gateway: L7OK once the gateway has answered as HTTP/2.</summary>
    public Task HealthAsync(string status) => Deadlines.UntilAsync($"health {status}", async () => (await StatisticsAsync()).Contains($",{status},", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<string> StatisticsAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("show stat\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private string Configuration(int gatewayPort, string sends)
    {
        var hello = Convert.ToHexString(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) + Convert.ToHexString(Frame.Settings().ToBytes());
        return string.Create(CultureInfo.InvariantCulture, $"""
            global
              stats socket {ControlSocket}
            defaults
              mode tcp
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            listen gateway
              bind 127.0.0.1:{Port}
              option tcp-check
              tcp-check send-binary {hello}
              tcp-check expect binary 040000000000
              server gateway 127.0.0.1:{gatewayPort} {sends} check inter 200ms fall 1 rise 1

            """);
    }
}
