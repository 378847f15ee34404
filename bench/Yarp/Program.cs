using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

const int MainPort = 31150, CheckPort = 31151, MetricsPort = 31152;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null;
    kestrel.Limits.MinRequestBodyDataRate = null;
    kestrel.Limits.MinResponseDataRate = null;
    kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
    kestrel.Limits.Http2.InitialConnectionWindowSize = 1 << 20;
    kestrel.Limits.Http2.InitialStreamWindowSize = 1 << 20;
    foreach (var port in (int[])[MainPort, CheckPort]) kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2);
    kestrel.ListenLocalhost(MetricsPort, listen => listen.Protocols = HttpProtocols.Http1);
});
builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
builder.Services.AddReverseProxy().LoadFromMemory(
    [Route("upstream", MainPort), Route("echo", CheckPort)],
    [Cluster("upstream", 31080), Cluster("echo", 31081)]);

var app = builder.Build();
app.MapGet("/metrics", () => $"dotnet_gc_heap_total_allocated_bytes_total {GC.GetTotalAllocatedBytes(precise: true)}\n").RequireHost($"*:{MetricsPort}");
app.MapReverseProxy();
app.Run();

static RouteConfig Route(string name, int port) => new() { RouteId = name, ClusterId = name, Match = new RouteMatch { Path = "{**all}", Hosts = [$"*:{port}"] } };

static ClusterConfig Cluster(string name, int port) => new()
{
    ClusterId = name,
    Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = $"http://127.0.0.1:{port}" } },
    HttpRequest = new ForwarderRequestConfig { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact, ActivityTimeout = TimeSpan.FromHours(1) },
    HttpClient = new HttpClientConfig { EnableMultipleHttp2Connections = true },
};
