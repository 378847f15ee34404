namespace SparkGateway.Campaign;

/// <summary>What a peer does to the bytes decides what it may be compared with.</summary>
internal enum PeerKind
{
    /// <summary>No proxy at all.</summary>
    Direct,

    /// <summary>Sockets only: the floor.</summary>
    L4,

    /// <summary>Reads HTTP/2.</summary>
    L7,

    Ours,
}

/// <param name="Port">Leads to the upstream.</param>
/// <param name="CheckPort">Leads to the echo.</param>
/// <param name="Config">What the report shows, a file below the repository.</param>
/// <param name="MetricsPort">Where a .NET peer says how much it has allocated; 0: nowhere.</param>
internal sealed record Peer(string Name, PeerKind Kind, int Port, int CheckPort, string Program, string[] Arguments, string Config, int MetricsPort = 0)
{
    public const string Gateway = "spark-gateway";

    public bool IsProxy => Kind != PeerKind.Direct;

    public static IReadOnlyList<Peer> All(string root, string folder)
    {
        var gateway = Path.Combine(root, "src/Api/bin/Release/net10.0/spark-gateway.dll");
        var yarp = Path.Combine(root, "bench/Yarp/bin/Release/net10.0/yarp-peer.dll");
        string Config(string name) => Path.Combine(root, "bench/peers", name);
        return
        [
            new("direct", PeerKind.Direct, Upstream.Port, Upstream.EchoPort, "", [], ""),
            new("haproxy tcp", PeerKind.L4, 31110, 31111, "haproxy", ["-f", Config("haproxy-l4.cfg")], "bench/peers/haproxy-l4.cfg"),
            new("haproxy", PeerKind.L7, 31120, 31121, "haproxy", ["-f", Config("haproxy.cfg")], "bench/peers/haproxy.cfg"),
            new("nginx", PeerKind.L7, 31130, 31131, "nginx", ["-p", folder, "-c", Config("nginx.conf"), "-e", "stderr"], "bench/peers/nginx.conf"),
            new("nghttpx", PeerKind.L7, 31140, 31141, "nghttpx", ["--conf=" + Config("nghttpx.conf")], "bench/peers/nghttpx.conf"),
            new("yarp", PeerKind.L7, 31150, 31151, "dotnet", [yarp], "bench/Yarp/Program.cs", MetricsPort: 31152),
            new(Gateway, PeerKind.Ours, 31160, 31160, "dotnet", [gateway, "serve", "--config", Config("gateway.yml")], "bench/peers/gateway.yml", MetricsPort: 31162),
        ];
    }
}
