using System.Diagnostics;
using System.Diagnostics.Metrics;
using MediatR;
using SparkGateway.Domain;

namespace SparkGateway.Features.Pipeline;

/// <summary>A span and a duration for each use case.</summary>
internal sealed class TelemetryBehavior<TRequest, TResponse>(TimeProvider time) : IPipelineBehavior<TRequest, TResponse>
{
    private static readonly string Name = typeof(TRequest).DeclaringType?.Name ?? typeof(TRequest).Name;
    private static readonly KeyValuePair<string, object?> UseCase = new("use_case", Name);

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        using var span = FeatureTelemetry.Source.StartActivity(Name);
        var began = time.GetTimestamp();
        var outcome = "exception";
        try
        {
            var response = await next();
            outcome = (response as IOutcome)?.Error is { } error ? FeatureTelemetry.Word(error.Code) : "ok";
            return response;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            span?.SetTag("outcome", outcome);
            if (outcome is not ("ok" or "cancelled")) span?.SetStatus(ActivityStatusCode.Error, outcome);
            FeatureTelemetry.Duration.Record(time.GetElapsedTime(began).TotalSeconds, UseCase, new("outcome", outcome));
        }
    }
}

/// <summary>The instruments of all use cases; label values are closed sets.</summary>
public static class FeatureTelemetry
{
    public const string SourceName = "SparkGateway";

    private static readonly Meter Meter = new(SourceName);

    internal static readonly ActivitySource Source = new(SourceName);

    internal static readonly Histogram<double> Duration =
        Meter.CreateHistogram("spark_gateway_use_case_duration", "s", "Time of a use case; admission includes waiting for a driver to start.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });

    internal static readonly Gauge<int> NearMaxTtl =
        Meter.CreateGauge<int>("spark_connect_sessions_near_max_ttl", description: "On-demand sessions of this replica that reach their max TTL soon.");

    internal static readonly Gauge<int> UnknownDrivers =
        Meter.CreateGauge<int>("spark_connect_drivers_unknown", description: "Drivers of this gateway that its store does not know and that are left alone.");

    /// <summary>Series that alerts are made of exist from the start.</summary>
    public static void Announce() => UnknownDrivers.Record(0);

    /// <summary>An error code as a label's value.</summary>
    public static string Word(ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument => "invalid_argument",
        ErrorCode.Unauthenticated => "unauthenticated",
        ErrorCode.PermissionDenied => "permission_denied",
        ErrorCode.NoSuchSession => "no_such_session",
        ErrorCode.ResourceExhausted => "resource_exhausted",
        ErrorCode.StartFailed => "start_failed",
        ErrorCode.Unavailable => "unavailable",
        ErrorCode.SessionChanged => "session_changed",
        ErrorCode.SessionClosed => "session_closed",
        ErrorCode.Unimplemented => "unimplemented",
        _ => "internal",
    };
}
