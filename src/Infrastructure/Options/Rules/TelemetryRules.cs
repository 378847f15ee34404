namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Keys for a collector need a collector.</summary>
internal static class TelemetryRules
{
    public static void Check(RuleContext context)
    {
        var otlp = context.Options.Telemetry.Otlp;
        if (otlp.HeadersFile.Length == 0) return;
        OtlpHeaders.Read(otlp.HeadersFile, context.Problems);
        if (otlp.Endpoint.Length == 0) context.Warn(OtlpHeaders.Key, "has no effect: telemetry.otlp.endpoint is empty, so nothing is sent.");
    }
}
