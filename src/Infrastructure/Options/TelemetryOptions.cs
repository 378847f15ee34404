namespace SparkGateway.Infrastructure.Options;

public sealed class LogOptions
{
    /// <summary>text or json: one line for each entry, on standard error.</summary>
    public string Format { get; set; } = "text";

    /// <summary>trace, debug, info, warning or error.</summary>
    public string Level { get; set; } = "info";

    /// <summary>Lines that wait for a slow reader; more are dropped and counted, so that logging never stops a call.</summary>
    public int QueueLines { get; set; } = 10_000;

    /// <summary>One line for each call that ends.</summary>
    public bool Calls { get; set; }
}

public sealed class TelemetryOptions
{
    /// <summary>The share of calls that get a span, 0 to 1; above 0 also those whose client asks for it by its traceparent.</summary>
    public decimal TraceCallsRatio { get; set; }

    public OtlpOptions Otlp { get; set; } = new();
}

public sealed class OtlpOptions
{
    /// <summary>Of a collector; empty: nothing is sent.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>grpc or http.</summary>
    public string Protocol { get; set; } = "grpc";

    /// <summary>File with headers for the collector, such as its credential.</summary>
    public string HeadersFile { get; set; } = "";

    public int TimeoutSeconds { get; set; } = 10;

    public int MetricsIntervalSeconds { get; set; } = 60;

    /// <summary>Spans that wait to be sent; more are dropped.</summary>
    public int QueueSpans { get; set; } = 2_048;
}

public sealed class HealthOptions
{
    /// <summary>A second port for /healthz, /readyz and /metrics on all addresses; 0: none.</summary>
    public int Port { get; set; }

    /// <summary>A component that has not answered /readyz by then counts as not ready.</summary>
    public int CheckSeconds { get; set; } = 2;
}
