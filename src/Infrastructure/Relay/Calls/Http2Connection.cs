using System.Buffers.Binary;
using System.Text;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What client and driver connections have in common: frames in, frames out, the connection windows, SETTINGS and PING.</summary>
internal abstract class Http2Connection : IFrameHandler, IDisposable
{
    private readonly FrameReader reader;
    private bool isDataEmpty;

    protected Http2Connection(FrameLimits frames, RelayLimits limits)
    {
        Limits = limits;
        reader = new FrameReader(frames, this);
        Book = new ReceiveBook(limits.ConnectionWindow);
        MaxReceiveFrame = frames.MaxFrame;
        Guard = new AbuseGuard(limits, Output);
    }

    public RelayLimits Limits { get; }

    public OutputQueue Output { get; } = new();

    /// <summary>The connection window that we give the peer.</summary>
    public ReceiveBook Book { get; }

    /// <summary>The connection window that the peer gives us.</summary>
    public int SendWindow { get; set; } = Protocol.DefaultWindow;

    public int PeerInitialWindow { get; private set; } = Protocol.DefaultWindow;

    public int PeerMaxFrame { get; private set; } = Protocol.DefaultMaxFrame;

    /// <summary>A list size, as RFC 9113 counts it: name + value + 32 for each field.</summary>
    public int PeerMaxHeaderList { get; private set; } = int.MaxValue;

    public int PeerMaxStreams { get; private set; } = int.MaxValue;

    public bool HasPeerSettings { get; private set; }

    /// <summary>Nothing of the peer is read any more; the output is sent, then the socket closes.</summary>
    public bool IsClosing { get; protected set; }

    /// <summary>Only a client says whether it takes pushed responses.</summary>
    protected abstract bool MayPeerEnablePush { get; }

    /// <summary>Milliseconds of a monotonic clock, as of this batch of events.</summary>
    protected abstract long Clock { get; }

    protected AbuseGuard Guard { get; }

    protected bool IsInsideHeaders => reader.IsInsideHeaders;

    protected int MaxReceiveFrame { get; }

    public virtual void Receive(ReadOnlySpan<byte> bytes)
    {
        if (IsClosing) return;
        Guard.Begin(Clock);
        var error = reader.Read(bytes);
        if (error == Http2Error.NoError) error = Guard.Queued();
        if (error != Http2Error.NoError) Fail(error, Guard.Reason ?? reader.Reason ?? Words(error));
    }

    /// <summary>Sends what has become due to the peer's connection window.</summary>
    public void SendCredit()
    {
        if (IsClosing) return;
        var credit = Book.TakeCredit(MaxReceiveFrame);
        if (credit > 0) Output.WriteWindowUpdate(0, credit);
    }

    public Http2Error OnSettings(ReadOnlySpan<byte> payload)
    {
        if (Guard.Settings() is var flood and not Http2Error.NoError) return flood;
        var oldWindow = PeerInitialWindow;
        for (; !payload.IsEmpty; payload = payload[6..])
        {
            var id = (SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload);
            var error = Apply(id, BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
            if (error != Http2Error.NoError) return error;
        }

        HasPeerSettings = true;
        Output.WriteSettingsAck();
        return PeerSettingsChanged(PeerInitialWindow - oldWindow);
    }

    public virtual Http2Error OnSettingsAck() => Guard.VoidFrame();

    public Http2Error OnPing(ReadOnlySpan<byte> opaque)
    {
        Output.WritePingAck(opaque);
        return Guard.Ping();
    }

    public virtual Http2Error OnPingAck(ReadOnlySpan<byte> opaque) => Guard.VoidFrame();

    public Http2Error OnIgnored() => Guard.VoidFrame();

    public abstract Http2Error OnStreamError(int stream, Http2Error code);

    public Http2Error OnWindowUpdate(int stream, int increment)
    {
        if (Guard.WindowUpdate() is var flood and not Http2Error.NoError) return flood;
        if (stream != 0) return StreamWindowUpdate(stream, increment);
        if (SendWindow > Protocol.MaxWindow - increment) return Http2Error.FlowControlError;
        SendWindow += increment;
        ConnectionWindowOpened();
        return Http2Error.NoError;
    }

    public abstract Http2Error OnDataStart(int stream, int length);

    public abstract Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream);

    public abstract Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream);

    public abstract Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug);

    public abstract Http2Error OnRstStream(int stream, Http2Error code);

    public virtual void Dispose()
    {
        reader.Dispose();
        Output.Clear();
    }

    /// <summary>The peer has broken the protocol: the connection ends.</summary>
    /// <param name="reason">Short ASCII, of few values: for the peer, the log and the metric.</param>
    protected abstract void Fail(Http2Error error, string reason);

    /// <summary>DATA that carries nothing costs its sender no window.</summary>
    protected Http2Error CountData(ReadOnlySpan<byte> bytes, bool last, bool endStream)
    {
        if (!bytes.IsEmpty) isDataEmpty = false;
        if (!last || endStream) return Http2Error.NoError;
        if (isDataEmpty) return EmptyData();
        Guard.FullData();
        return Http2Error.NoError;
    }

    protected void BeginData() => isDataEmpty = true;

    protected virtual Http2Error EmptyData() => Guard.VoidFrame();

    /// <summary>What waits for the peer's socket is bounded, whatever filled it.</summary>
    protected void BoundOutput()
    {
        if (!IsClosing && Guard.Queued() is var error and not Http2Error.NoError) Fail(error, Guard.Reason!);
    }

    protected void WriteGoAway(int lastStream, Http2Error error, string reason) => Output.WriteGoAway(lastStream, error, Encoding.ASCII.GetBytes(reason));

    protected abstract Http2Error StreamWindowUpdate(int stream, int increment);

    protected abstract void ConnectionWindowOpened();

    protected abstract Http2Error PeerSettingsChanged(int windowDelta);

    private static string Words(Http2Error error) => error switch
    {
        Http2Error.FlowControlError => "flow control window overrun",
        Http2Error.CompressionError => "broken header compression",
        Http2Error.FrameSizeError => "wrong frame size",
        Http2Error.StreamClosed => "frame on a closed stream",
        Http2Error.SettingsTimeout => "SETTINGS not acknowledged",
        _ => "protocol error",
    };

    private Http2Error Apply(SettingId id, uint value)
    {
        switch (id)
        {
            case SettingId.InitialWindowSize:
                if (value > Protocol.MaxWindow) return Http2Error.FlowControlError;
                PeerInitialWindow = (int)value;
                break;
            case SettingId.MaxFrameSize:
                if (value is < Protocol.DefaultMaxFrame or > Protocol.MaxFrameLimit) return Http2Error.ProtocolError;
                PeerMaxFrame = (int)value;
                break;
            case SettingId.EnablePush:
                if (value > (MayPeerEnablePush ? 1 : 0)) return Http2Error.ProtocolError;
                break;
            case SettingId.HeaderTableSize:
                if (value < Protocol.DefaultHeaderTable) Output.OweTableSize();
                break;
            case SettingId.MaxHeaderListSize:
                PeerMaxHeaderList = (int)Math.Min(value, int.MaxValue);
                break;
            case SettingId.MaxConcurrentStreams:
                PeerMaxStreams = (int)Math.Min(value, int.MaxValue);
                break;
            default:
                break; // Unknown settings must be ignored.
        }

        return Http2Error.NoError;
    }
}
