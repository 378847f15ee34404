using System.Diagnostics;
using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>Times each start of a driver, and gives it a span.</summary>
internal sealed class MeteredDriverPlatform(IDriverPlatform platform, TimeProvider time) : IDriverPlatform
{
    public string Name => platform.Name;

    public ChannelReader<DriverExit> Exits => platform.Exits;

    public async Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation)
    {
        using var span = GatewaySpans.Source.StartActivity("driver start");
        span?.SetTag("session", spec.Name.ToString()).SetTag("platform", Name);
        GatewayMetrics.DriverStarting(Name, +1);
        var began = time.GetTimestamp();
        var outcome = "cancelled";
        try
        {
            var launched = await platform.LaunchAsync(spec, cancellation);
            outcome = launched.Error is { } error ? FeatureTelemetry.Word(error.Code) : "ready";
            return launched;
        }
        finally
        {
            GatewayMetrics.DriverStarting(Name, -1);
            GatewayMetrics.DriverStarted(Name, outcome, time.GetElapsedTime(began));
            span?.SetTag("outcome", outcome);
            if (outcome is not ("ready" or "cancelled")) span?.SetStatus(ActivityStatusCode.Error, outcome);
        }
    }

    public Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation) => platform.LocateAsync(ready, cancellation);

    public async Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        using var span = GatewaySpans.StartInside("driver stop");
        await platform.StopAsync(driver, cancellation);
    }
}
