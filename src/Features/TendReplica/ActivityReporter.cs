using Microsoft.Extensions.Logging;

namespace SparkGateway.Features.TendReplica;

/// <summary>Tells the store in short intervals which sessions are used here. The host runs it.</summary>
public sealed partial class ActivityReporter(ActivityFlusher flusher, FeatureOptions options, TimeProvider time, ILogger<ActivityReporter> logger)
{
    private bool isLate;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(options.ActivityEvery, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            var flushed = await flusher.FlushAsync(cancellation);
            if (flushed.Error is { } error && !isLate) LogLate(logger, error.Text);
            isLate = !flushed.IsOk;
        }
    }

    [LoggerMessage(EventId = 2310, Level = LogLevel.Warning, Message = "The use of this replica's sessions did not reach the store; none ends as idle until it does. {Reason}")]
    private static partial void LogLate(ILogger logger, string reason);
}
