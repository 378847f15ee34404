using Microsoft.Extensions.Logging;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.TendReplica;

/// <summary>Tells the store in short intervals which sessions are used here, and the other replicas with how many calls. The host runs it.</summary>
public sealed partial class ActivityReporter(ActivityFlusher flusher, IReplicaBoard board, IRouteTable table, FeatureOptions options, TimeProvider time, ILogger<ActivityReporter> logger)
{
    private bool isLate;
    private bool hasTold;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(options.ActivityEvery, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            var flushed = await flusher.FlushAsync(cancellation);
            if (flushed.Error is { } error && !isLate) LogLate(logger, error.Text);
            isLate = !flushed.IsOk;
            if (!isLate) await TellCallsAsync(cancellation);
        }
    }

    /// <summary>For people to read: what cannot be told now is told the next time.</summary>
    private async Task TellCallsAsync(CancellationToken cancellation)
    {
        var calls = table.Routes.Where(route => route.OpenCalls > 0).ToDictionary(route => route.Session.Id, route => route.OpenCalls);
        if (options.Self.IsOnly || (calls.Count == 0 && !hasTold)) return;
        var told = await board.TellCallsAsync(options.Self, calls, cancellation);
        if (told.IsOk) hasTold = calls.Count > 0;
    }

    [LoggerMessage(EventId = 2310, Level = LogLevel.Warning, Message = "The use of this replica's sessions did not reach the store; none ends as idle until it does. {Reason}")]
    private static partial void LogLate(ILogger logger, string reason);
}
