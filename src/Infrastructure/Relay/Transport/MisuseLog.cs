using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Tells of peers that broke the protocol or a limit: each counts, one line a minute for each reason is written.</summary>
internal sealed partial class MisuseLog(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();

    /// <summary>As many as there are reasons for each side: a few dozen.</summary>
    private readonly Dictionary<(CallSide Side, string Reason), Line> lines = [];

    public void Add(CallSide side, string peer, string reason)
    {
        GatewayMetrics.LimitHit(side, reason);
        int suppressed;
        lock (gate)
        {
            var isKnown = lines.TryGetValue((side, reason), out var line);
            if (isKnown && time.GetElapsedTime(line.At) < Quiet)
            {
                lines[(side, reason)] = line with { Suppressed = line.Suppressed + 1 };
                return;
            }

            suppressed = line.Suppressed;
            lines[(side, reason)] = new Line(time.GetTimestamp(), 0);
        }

        if (side == CallSide.Driver) DriverClosed(logger, peer, reason, suppressed);
        else ClientClosed(logger, peer, reason, suppressed);
    }

    [LoggerMessage(2020, LogLevel.Warning, "The connection of client {Peer} was closed: {Reason}; {Suppressed} more such ends of clients since the last line")]
    private static partial void ClientClosed(ILogger logger, string peer, string reason, int suppressed);

    [LoggerMessage(2021, LogLevel.Warning, "A driver's connection, opened for client {Peer}, was closed: {Reason}; {Suppressed} more such ends of drivers since the last line")]
    private static partial void DriverClosed(ILogger logger, string peer, string reason, int suppressed);

    private readonly record struct Line(long At, int Suppressed);
}
