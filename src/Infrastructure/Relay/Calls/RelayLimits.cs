using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What the state machines need of the configuration, checked and in bytes and milliseconds.</summary>
internal sealed record RelayLimits
{
    public RelayLimits(RelayOptions options)
    {
        ConnectionWindow = options.ConnectionWindowBytes;
        UpwardSlack = options.UpwardSlackBytes;
        MaxDriverFrame = options.MaxFrameBytes;
        MaxConcurrentStreams = options.MaxConcurrentStreams;
        ParkedPerConnection = options.ParkedBytesPerConnection;
        ParkedTotal = options.ParkedBytesTotal;
        MaxHeaderList = options.MaxHeaderListBytes;
        MaxHeaderFields = options.MaxHeaderFields;
        MaxRoutingBytes = options.MaxRoutingBytes;
        MaxControlFrames = options.MaxQueuedControlFrames;
        MaxQueuedHeaderBytes = options.MaxQueuedHeaderBytes;
        MaxResetsPerSecond = options.MaxResetsPerSecond;
        MaxSettingsPerSecond = options.MaxSettingsPerSecond;
        MaxPingsPerSecond = options.MaxPingsPerSecond;
        MaxWindowUpdatesPerSecond = options.MaxWindowUpdatesPerSecond;
        MaxLateFramesPerSecond = options.MaxLateFramesPerSecond;
        MaxVoidFramesPerSecond = options.MaxVoidFramesPerSecond;
        MaxEmptyDataFrames = options.MaxEmptyDataFrames;
        ResetLingerMs = options.ResetLingerSeconds * 1000L;
        SlowPeerMs = options.SlowPeerSeconds * 1000L;
        DriverIdleMs = options.DriverIdleSeconds * 1000L;
        ClientFrames = new FrameLimits(Protocol.DefaultMaxFrame, options.MaxHeaderBlockBytes, options.MaxContinuationFrames);
        DriverFrames = new FrameLimits(options.MaxFrameBytes, options.MaxHeaderBlockBytes, options.MaxContinuationFrames);
    }

    public int ConnectionWindow { get; }

    public int UpwardSlack { get; }

    public int MaxDriverFrame { get; }

    public int MaxConcurrentStreams { get; }

    public int ParkedPerConnection { get; }

    public int ParkedTotal { get; }

    public int MaxHeaderList { get; }

    public int MaxHeaderFields { get; }

    public int MaxRoutingBytes { get; }

    public int MaxControlFrames { get; }

    public int MaxQueuedHeaderBytes { get; }

    public int MaxResetsPerSecond { get; }

    public int MaxSettingsPerSecond { get; }

    public int MaxPingsPerSecond { get; }

    public int MaxWindowUpdatesPerSecond { get; }

    public int MaxLateFramesPerSecond { get; }

    public int MaxVoidFramesPerSecond { get; }

    public int MaxEmptyDataFrames { get; }

    public long ResetLingerMs { get; }

    public long SlowPeerMs { get; }

    public long DriverIdleMs { get; }

    public FrameLimits ClientFrames { get; }

    public FrameLimits DriverFrames { get; }
}

/// <summary>Parked calls of the whole process and the bytes that they hold: the numbers that connections share.</summary>
internal sealed class ParkedTotal(int most)
{
    private long bytes;
    private int calls;

    public int Calls => Volatile.Read(ref calls);

    public long Bytes => Interlocked.Read(ref bytes);

    public bool TryAdd(int count)
    {
        if (Interlocked.Add(ref bytes, count) <= most) return true;
        Interlocked.Add(ref bytes, -count);
        return false;
    }

    public void Remove(int count) => Interlocked.Add(ref bytes, -count);

    public void CallEntered() => Interlocked.Increment(ref calls);

    public void CallLeft() => Interlocked.Decrement(ref calls);
}
