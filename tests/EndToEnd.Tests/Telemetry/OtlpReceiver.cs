using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

internal sealed record ReceivedSpan(string Name, string Trace, string Id, string Parent);

/// <summary>A collector of OpenTelemetry, as far as a test looks into it: the names of metrics, and spans with their parents.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const int GrpcPrefix = 5;

    private readonly WebApplication app;
    private readonly bool isGrpc;
    private readonly ConcurrentQueue<ReceivedSpan> spans = new();
    private readonly ConcurrentDictionary<string, bool> metrics = new();
    private readonly ConcurrentDictionary<string, bool> credentials = new();

    private OtlpReceiver(bool isGrpc, int port)
    {
        this.isGrpc = isGrpc;
        Port = port;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenLocalhost(Port, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        app = builder.Build();
        app.Run(TakeAsync);
    }

    public int Port { get; }

    public IReadOnlyCollection<ReceivedSpan> Spans => spans;

    public ICollection<string> Metrics => metrics.Keys;

    /// <summary>What came in the authorization header.</summary>
    public ICollection<string> Credentials => credentials.Keys;

    public static async Task<OtlpReceiver> StartAsync(string protocol, int? port = null)
    {
        var receiver = new OtlpReceiver(protocol == "grpc", port ?? Ports.Free());
        await receiver.app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        credentials.TryAdd(context.Request.Headers.Authorization.ToString(), true);
        var message = body.ToArray()[(isGrpc ? GrpcPrefix : 0)..];
        if (context.Request.Path == (isGrpc ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export" : "/v1/traces")) TakeSpans(message);
        else if (context.Request.Path == (isGrpc ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" : "/v1/metrics")) TakeMetrics(message);
        if (!isGrpc) return;
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[GrpcPrefix]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    // Of opentelemetry-proto: request 1 -> of a resource 2 -> of a scope 2 -> span or metric.
    private static IEnumerable<byte[]> Items(byte[] request) =>
        Proto.FindAll(request, 1).SelectMany(resource => Proto.FindAll(resource, 2)).SelectMany(scope => Proto.FindAll(scope, 2));

    private void TakeSpans(byte[] request)
    {
        foreach (var span in Items(request))
            spans.Enqueue(new ReceivedSpan(Proto.FindText(span, 5)!, Hex(Proto.Find(span, 1)), Hex(Proto.Find(span, 2)), Hex(Proto.Find(span, 4))));
    }

    private void TakeMetrics(byte[] request)
    {
        foreach (var metric in Items(request)) metrics.TryAdd(Proto.FindText(metric, 1)!, true);
    }

    private static string Hex(byte[]? bytes) => Convert.ToHexStringLower(bytes ?? []);
}
