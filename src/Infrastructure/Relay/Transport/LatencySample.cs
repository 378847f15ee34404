using System.Diagnostics;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Http2;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// Times one batch in so many of a loop: from before its reads until a socket has taken the frames that it made. A batch
/// that is not timed reads no clock and touches nothing that is shared. What waits for a peer's window is not timed: it
/// waits for the peer.
/// </summary>
internal struct LatencySample
{
    /// <summary>Often enough for a histogram, too rare to cost anything.</summary>
    public const int Every = 64;

    /// <summary>Counted over all connections of a thread, so that those with few calls are seen too.</summary>
    [ThreadStatic]
    private static uint batches;

    private long began;
    private long frames;
    private OutputQueue? output;
    private long mark;

    public void Begin(ClientConnection client)
    {
        if (++batches % Every != 0 || began != 0) return;
        frames = FramesOf(client);
        began = Stopwatch.GetTimestamp();
    }

    /// <summary>After the batch's output has been offered to the sockets, and after each later batch until it is taken.</summary>
    public void Follow(ClientConnection client)
    {
        if (began == 0) return;
        if (output is null)
        {
            if (FramesOf(client) <= frames)
            {
                began = 0;
                return;
            }

            output = Waiting(client);
            mark = output.Written;
        }

        if (output.Taken < mark) return;
        GatewayMetrics.BytesPassed(began);
        Forget(output);
    }

    /// <summary>That queue's socket is gone: what waited in it was never written.</summary>
    public void Forget(OutputQueue gone)
    {
        if (!ReferenceEquals(output, gone)) return;
        output = null;
        began = 0;
    }

    private static long FramesOf(ClientConnection client)
    {
        var sum = client.Output.PayloadFrames;
        for (var i = 0; i < client.Drivers.Count; i++) sum += client.Drivers[i].Output.PayloadFrames;
        return sum;
    }

    /// <summary>The output that was not taken whole; if all were, any of them says so.</summary>
    private static OutputQueue Waiting(ClientConnection client)
    {
        for (var i = 0; i < client.Drivers.Count; i++)
        {
            if (!client.Drivers[i].Output.IsEmpty) return client.Drivers[i].Output;
        }

        return client.Output;
    }
}
