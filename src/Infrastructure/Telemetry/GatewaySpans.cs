using System.Diagnostics;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>Spans of what lies below the use cases.</summary>
internal static class GatewaySpans
{
    public static readonly ActivitySource Source = new(TelemetryServices.SourceName);

    /// <summary>Null where no use case is at work: the polls of the loops would be spans for nothing.</summary>
    public static Activity? StartInside(string name) => Activity.Current is null ? null : Source.StartActivity(name);
}
