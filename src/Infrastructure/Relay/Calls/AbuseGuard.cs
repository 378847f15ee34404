using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Counts what costs one peer little and the relay more, within one second each. A peer over a budget gets GOAWAY
/// ENHANCE_YOUR_CALM. Frames that answer what the peer was sent are earned by that: busy clients are no attackers.
/// </summary>
internal sealed class AbuseGuard(RelayLimits limits, OutputQueue output)
{
    private const int SecondMs = 1000;

    /// <summary>For one DATA or HEADERS frame a peer may open windows, or close what is closed, so often: one frame of 64 KiB in steps of 8 KiB, for stream and connection.</summary>
    private const int EarnedByFrame = 16;

    private long second = long.MinValue / 2;
    private long sentBefore;
    private long sentAtSecond;
    private long sentAtPing = -1;
    private int opened;
    private int resets;
    private int settings;
    private int pings;
    private int windowUpdates;
    private int lateFrames;
    private int voidFrames;
    private int emptyData;

    /// <summary>Which budget is used up: short ASCII, of few values, for the peer, the log and the metric. Null: none.</summary>
    public string? Reason { get; private set; }

    /// <summary>Before each read.</summary>
    public void Begin(long now)
    {
        if (now - second < SecondMs) return;
        second = now;
        sentBefore = sentAtSecond;
        sentAtSecond = output.PayloadFrames;
        opened = resets = settings = pings = windowUpdates = lateFrames = voidFrames = 0;
    }

    /// <summary>After each read: what waits for a peer that provokes answers and does not take them.</summary>
    public Http2Error Queued()
    {
        if (output.Answers > limits.MaxControlFrames) return Over("too many queued control frames");
        return output.OverheadBytes > limits.MaxQueuedHeaderBytes ? Over("too many queued headers") : Http2Error.NoError;
    }

    public void StreamOpened() => opened++;

    /// <summary>A live stream was reset, by the peer or because of what it sent: both cost a driver its work.</summary>
    public Http2Error StreamReset() =>
        ++resets > opened / 2 && Math.Max(opened, resets) > limits.MaxResetsPerSecond ? Over("too many resets") : Http2Error.NoError;

    public Http2Error Settings() => Spend(ref settings, limits.MaxSettingsPerSecond, "too many SETTINGS");

    /// <summary>Bandwidth probes come as fast as data flows, up to hundreds a second; they are free while it does.</summary>
    public Http2Error Ping()
    {
        if (output.PayloadFrames != sentAtPing)
        {
            sentAtPing = output.PayloadFrames;
            return Http2Error.NoError;
        }

        return Spend(ref pings, limits.MaxPingsPerSecond, "too many PINGs");
    }

    public Http2Error WindowUpdate() => SpendEarned(ref windowUpdates, limits.MaxWindowUpdatesPerSecond, "too many WINDOW_UPDATEs");

    /// <summary>Of a stream that is over: often sent before the peer heard of its end.</summary>
    public Http2Error LateFrame() => SpendEarned(ref lateFrames, limits.MaxLateFramesPerSecond, "too many frames on closed streams");

    /// <summary>Says nothing: PRIORITY, unknown types, acknowledgements, trailers that end nothing.</summary>
    public Http2Error VoidFrame() => Spend(ref voidFrames, limits.MaxVoidFramesPerSecond, "too many frames without effect");

    public Http2Error EmptyData() => Spend(ref emptyData, limits.MaxEmptyDataFrames, "too many empty DATA frames");

    public void FullData() => emptyData = 0;

    public Http2Error HeaderBomb() => Over("headers too large");

    private Http2Error SpendEarned(ref int spent, int budget, string reason) =>
        ++spent > budget && spent > budget + ((output.PayloadFrames - sentBefore) * EarnedByFrame) ? Over(reason) : Http2Error.NoError;

    private Http2Error Spend(ref int spent, int budget, string reason) => ++spent > budget ? Over(reason) : Http2Error.NoError;

    private Http2Error Over(string reason)
    {
        Reason = reason;
        return Http2Error.EnhanceYourCalm;
    }
}
