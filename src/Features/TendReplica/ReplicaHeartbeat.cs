using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.TendReplica;

/// <summary>Tells the other replicas that this one lives, and learns which sessions died with theirs. The host runs it.</summary>
public sealed partial class ReplicaHeartbeat(ISessionStore store, IRouteTable table, FeatureOptions options, TimeProvider time, ILogger<ReplicaHeartbeat> logger)
{
    private bool isLate;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(options.HeartbeatEvery, time);
        try
        {
            do await BeatAsync(cancellation);
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    /// <summary>One beat; the host may want the first before it serves.</summary>
    public async Task<Result<bool>> BeatAsync(CancellationToken cancellation)
    {
        var beat = await store.HeartbeatAsync(options.Self, cancellation);
        if (!beat.TryGet(out var lost, out var error))
        {
            if (!isLate) LogLate(logger, error.Text);
            isLate = true;
            return error;
        }

        if (isLate) LogBack(logger);
        isLate = false;
        foreach (var session in lost)
        {
            LogLost(logger, session);
            table.Close(session.Id, EndTexts.Ended(session));
        }

        return true;
    }

    [LoggerMessage(EventId = 2300, Level = LogLevel.Warning, Message = "The heartbeat of this replica did not reach the store. {Reason}")]
    private static partial void LogLate(ILogger logger, string reason);

    [LoggerMessage(EventId = 2301, Level = LogLevel.Information, Message = "The heartbeat of this replica reaches the store again.")]
    private static partial void LogBack(ILogger logger);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "Session {Session} is lost: the gateway process that ran its driver is gone.")]
    private static partial void LogLost(ILogger logger, Session session);
}
