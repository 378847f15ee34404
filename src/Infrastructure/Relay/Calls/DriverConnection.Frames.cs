using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What the driver's frames do.</summary>
internal sealed partial class DriverConnection
{
    public override Http2Error OnDataStart(int stream, int length)
    {
        if (!Book.Receive(length)) return Http2Error.FlowControlError;
        BeginData();
        if (!calls.TryGetValue(stream, out dataCall)) return OnEndedStream(stream);
        if (dataCall.DriverEnded || !dataCall.ResponseStarted) return Break(dataCall, dataCall.DriverEnded ? Http2Error.StreamClosed : Http2Error.ProtocolError);

        // By the larger window, until the driver has confirmed the smaller one.
        return length > 0 && length > (long)dataCall.DriverReceiveWindow + unconfirmedShrink ? Http2Error.FlowControlError : Http2Error.NoError;
    }

    public override Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream)
    {
        var call = dataCall;
        if (call is not null) call.DriverReceiveWindow -= bytes.Length + padding;
        var flood = CountData(bytes, last, endStream);
        if (call is null || call.ClientSideEnded)
        {
            Book.Taken(bytes.Length + padding);
            if (call is null && endStream) linger?.Confirm(stream);
            if (call is not null && endStream) client.DriverStreamEnded(call);
            return flood;
        }

        Book.Taken(padding);
        if (endStream) call.DriverEnded = true;
        Flow.Down(client, call, bytes, endStream, Book);
        if (endStream) client.DriverStreamEnded(call);
        else Flow.GrantDown(call);
        return flood;
    }

    public override Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        response.Begin();
        var decoded = decoder.Decode(block, response);
        if (decoded is HpackError.ListTooLarge or HpackError.TooManyFields or HpackError.Unbounded) return Guard.HeaderBomb();
        if (decoded != HpackError.None) return Http2Error.CompressionError;
        if (!calls.TryGetValue(stream, out var call))
        {
            if (endStream) linger?.Confirm(stream);
            return OnEndedStream(stream);
        }

        if (call.DriverEnded) return Break(call, Http2Error.StreamClosed);
        var isTrailers = call.ResponseStarted;
        if (response.IsMalformed(isTrailers) || (isTrailers && !endStream) || (response.IsInformational && endStream)) return Break(call, Http2Error.ProtocolError);
        if (response.IsInformational) return Guard.VoidFrame();
        client.ResponseHeaders(call, block, endStream, response.GrpcStatus);
        return Http2Error.NoError;
    }

    public override Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug)
    {
        if (Guard.VoidFrame() is var flood and not Http2Error.NoError) return flood;
        IsDraining = true;
        var refused = calls.Where(pair => pair.Key > lastStream).Select(pair => pair.Value).ToArray();
        client.DriverRefused(this, refused);
        client.MoveWaiting(this);
        return Http2Error.NoError;
    }

    public override Http2Error OnRstStream(int stream, Http2Error code)
    {
        if (!calls.TryGetValue(stream, out var call))
        {
            linger?.Confirm(stream);
            return OnEndedStream(stream);
        }

        client.DriverReset(call, code);
        return Http2Error.NoError;
    }

    public override Http2Error OnSettingsAck()
    {
        if (!unconfirmed.TryDequeue(out var shrink)) return Guard.VoidFrame();
        unconfirmedShrink -= shrink;
        return Http2Error.NoError;
    }

    public override Http2Error OnStreamError(int stream, Http2Error code) =>
        calls.TryGetValue(stream, out var call) ? Break(call, code) : OnEndedStream(stream);

    protected override Http2Error StreamWindowUpdate(int stream, int increment)
    {
        if (!calls.TryGetValue(stream, out var call)) return OnEndedStream(stream);
        if (increment == 0) return Break(call, Http2Error.ProtocolError);
        if (call.DriverSendWindow > Protocol.MaxWindow - increment) return Break(call, Http2Error.FlowControlError);
        call.DriverSendWindow += increment;
        if (!call.Up.IsEmpty) QueueUp(call);
        Flow.GrantUp(client, call);
        return Http2Error.NoError;
    }

    protected override Http2Error PeerSettingsChanged(int windowDelta)
    {
        foreach (var call in calls.Values)
        {
            if ((long)call.DriverSendWindow + windowDelta > Protocol.MaxWindow) return Http2Error.FlowControlError;
            call.DriverSendWindow += windowDelta;
            if (!call.Up.IsEmpty) QueueUp(call);
            Flow.GrantUp(client, call);
        }

        OpenWaiting();
        return Http2Error.NoError;
    }

    /// <summary>Of a stream that is over: underway when it ended. Of one that never was: a breach.</summary>
    private Http2Error OnEndedStream(int stream) => stream <= lastStream && stream % 2 == 1 ? Guard.LateFrame() : Http2Error.ProtocolError;

    /// <summary>What the driver sent broke a rule of its stream: only that call ends.</summary>
    private Http2Error Break(RelayedCall call, Http2Error code)
    {
        Abandon(call, code);
        client.DriverBroke(call, this);
        return Http2Error.NoError;
    }
}
