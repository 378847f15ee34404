using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Api.Hosting;

/// <summary>Where metrics and spans go: /metrics, and a collector if one is named. A collector that is down or slow delays nobody.</summary>
internal static class GatewayTelemetry
{
    private const string ServiceName = "spark-gateway";

    public static void AddGatewayTelemetry(this IServiceCollection services, GatewayOptions options)
    {
        var otlp = options.Telemetry.Otlp;
        var isSent = otlp.Endpoint.Length > 0;
        services.AddSingleton(provider => new Collector(otlp, provider.GetRequiredService<ILogger<Collector>>()));
        services.AddOpenTelemetry()
            // Of several replicas a collector makes one, unless each says which it is. Prometheus knows their addresses.
            .ConfigureResource(resource => resource.AddService(ServiceName, serviceVersion: TelemetryServices.Version, autoGenerateServiceInstanceId: isSent))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(TelemetryServices.SourceName, "System.Runtime").RenameCounts().AddPrometheusExporter();
                if (isSent) metrics.AddReader(provider => provider.GetRequiredService<Collector>().CreateReader());
            })
            .WithTracing(traces =>
            {
                // Also without a collector: the log shows trace ids.
                traces.AddSource(TelemetryServices.SourceName).SetSampler(new AlwaysOnSampler());
                if (isSent) traces.AddProcessor(provider => provider.GetRequiredService<Collector>().CreateProcessor());
            });
    }

    /// <summary>To Prometheus a name that ends in _count is part of a histogram.</summary>
    private static MeterProviderBuilder RenameCounts(this MeterProviderBuilder metrics) => metrics
        .AddView("dotnet.assembly.count", "dotnet.assemblies")
        .AddView("dotnet.process.cpu.count", "dotnet.process.cpus")
        .AddView("dotnet.timer.count", "dotnet.timers");
}

/// <summary>The collector of telemetry.otlp.</summary>
internal sealed class Collector(OtlpOptions options, ILogger<Collector> logger)
{
    private const int MostSpansAtOnce = 512;

    private readonly CollectorState state = new(options.Endpoint, logger);

    public MetricReader CreateReader() =>
        new PeriodicExportingMetricReader(new OtlpMetricExporter(Exporter("v1/metrics")), options.MetricsIntervalSeconds * 1000, options.TimeoutSeconds * 1000)
        {
            TemporalityPreference = MetricReaderTemporalityPreference.Cumulative,
        };

    public OpenTelemetry.BaseProcessor<System.Diagnostics.Activity> CreateProcessor() =>
        new OpenTelemetry.BatchActivityExportProcessor(new OtlpTraceExporter(Exporter("v1/traces")), options.QueueSpans,
            exporterTimeoutMilliseconds: options.TimeoutSeconds * 1000, maxExportBatchSize: Math.Min(options.QueueSpans, MostSpansAtOnce));

    private OtlpExporterOptions Exporter(string path)
    {
        var isGrpc = options.Protocol == "grpc";
        return new OtlpExporterOptions
        {
            Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
            Endpoint = isGrpc ? new Uri(options.Endpoint) : new Uri($"{options.Endpoint.TrimEnd('/')}/{path}"),
            TimeoutMilliseconds = options.TimeoutSeconds * 1000,
            HttpClientFactory = CreateClient,
        };
    }

    /// <summary>The exporter's own option for headers is one text, in which no value may hold a comma.</summary>
    private HttpClient CreateClient()
    {
        var client = new HttpClient(new CollectorWatch(state)) { Timeout = TimeSpan.FromSeconds(options.TimeoutSeconds) };
        foreach (var (name, value) in OtlpHeaders.Read(options)) client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        return client;
    }
}
