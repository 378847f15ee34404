using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// Tells of connections that were refused or ended for what their peer did. Each is counted; the log gets one line for
/// each reason in a minute, which says how many were left out, so that an attack cannot fill the disk.
/// </summary>
internal sealed partial class LimitLog(ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(CallSide Side, string Reason), Line> lines = new();

    /// <param name="reason">One of a few fixed texts: it is a metric's label too, and each is remembered.</param>
    /// <param name="who">The peer, and what else is worth saying; of the latest only.</param>
    public void Hit(CallSide side, string reason, string who)
    {
        GatewayMetrics.LimitHit(side, reason);
        var line = lines.GetOrAdd((side, reason), static _ => new Line());
        lock (line)
        {
            line.Who = who;
            line.Waiting++;
            Write_NeedsLock(reason, line);
        }
    }

    /// <summary>Called each second: what was left out is told once its minute is over, even if nothing hits again.</summary>
    public void Tick()
    {
        foreach (var ((_, reason), line) in lines)
        {
            lock (line) Write_NeedsLock(reason, line);
        }
    }

    private void Write_NeedsLock(string reason, Line line)
    {
        if (line.Waiting == 0 || (line.WrittenAt is { } before && time.GetElapsedTime(before) < Quiet)) return;
        if (line.Waiting == 1) One(logger, reason, line.Who);
        else Many(logger, reason, line.Waiting, line.Who);
        line.WrittenAt = time.GetTimestamp();
        line.Waiting = 0;
    }

    [LoggerMessage(2014, LogLevel.Warning, "Refused: {Reason} ({Who}); more of the kind are told once a minute")]
    private static partial void One(ILogger logger, string reason, string who);

    [LoggerMessage(2015, LogLevel.Warning, "Refused: {Reason}, {Count} times in the last minute, latest {Who}")]
    private static partial void Many(ILogger logger, string reason, long count, string who);

    private sealed class Line
    {
        public long? WrittenAt { get; set; }

        public long Waiting { get; set; }

        public string Who { get; set; } = "";
    }
}
