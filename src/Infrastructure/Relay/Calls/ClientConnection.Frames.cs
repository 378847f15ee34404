using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What the client's frames do.</summary>
internal sealed partial class ClientConnection
{
    public override Http2Error OnDataStart(int stream, int length)
    {
        if (!Book.Receive(length)) return Http2Error.FlowControlError;
        BeginData();
        if (!calls.TryGetValue(stream, out dataCall)) return OnClosedStream(stream);
        if (dataCall.ClientEnded) return Break(dataCall, Http2Error.StreamClosed);
        return length > dataCall.ClientReceiveWindow ? Break(dataCall, Http2Error.FlowControlError) : Http2Error.NoError;
    }

    public override Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream)
    {
        var call = dataCall;
        if (padding > 0) Book.Taken(padding);
        var flood = CountData(bytes, last, endStream);
        if (call is null)
        {
            Book.Taken(bytes.Length);
            return flood;
        }

        // Part by part, not at the frame's begin: what is still to come of it may still be sent.
        var taken = bytes.Length + padding;
        if (call.IsOnDriver) call.Driver!.ChangeClientReceiveWindow(call, -taken);
        else call.ClientReceiveWindow -= taken;
        if (call.ContentLeft >= 0 && ((call.ContentLeft -= bytes.Length) < 0 || (endStream && call.ContentLeft > 0)))
        {
            Book.Taken(bytes.Length);
            return Break(call, Http2Error.ProtocolError);
        }

        if (endStream) EndUp(call);
        switch (call.State)
        {
            case CallState.Forwarding when call.IsOnDriver:
                SendUp(call, bytes, endStream);
                if (endStream) FinishIfOver(call);
                else Flow.GrantUp(this, call);
                break;
            case CallState.AwaitingMessage:
                ReadFirstMessage(call, bytes);
                break;
            case CallState.Parked:
                Park(call, bytes);
                break;
            default:
                Book.Taken(bytes.Length);
                FinishIfOver(call);
                break;
        }

        return flood;
    }

    public override Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        if (stream % 2 == 0) return Http2Error.ProtocolError;
        request.Begin();
        var decoded = decoder.Decode(block, request);
        var isTooLarge = decoded is HpackError.ListTooLarge or HpackError.TooManyFields;
        if (decoded == HpackError.Unbounded) return Guard.HeaderBomb();
        if (decoded != HpackError.None && !isTooLarge) return Http2Error.CompressionError;
        if (stream <= lastStream) return Trailers(stream, endStream);
        if (stream > lastStream + 2) (skippedFrom, skippedTo) = (lastStream + 2, stream - 2);
        lastStream = stream;
        Guard.StreamOpened();
        if (refusesCalls)
        {
            // Sent before the client heard of the shutdown.
            WriteReset(stream, Http2Error.RefusedStream);
            return Guard.LateFrame();
        }

        var isMalformed = request.IsMalformed || (!isTooLarge && !request.IsComplete) || (endStream && request.ContentLength > 0);
        if (isMalformed || calls.Count + LingeringResets() >= Limits.MaxConcurrentStreams)
        {
            WriteReset(stream, isMalformed ? Http2Error.ProtocolError : Http2Error.RefusedStream);
            return Guard.StreamReset();
        }

        var call = spare.Count > 0 ? spare.Pop() : new RelayedCall();
        call.Begin(stream, PeerInitialWindow, request, request.Own(), Now);
        if (shared.Tracer is { } tracer) call.Span = tracer.Begin(request.Rpc, request.Traceparent);
        calls.Add(stream, call);
        call.ClientEnded = endStream;
        awaitingMessages++;
        BeginCall(call, isTooLarge);
        return Http2Error.NoError;
    }

    /// <summary>What the client may still send of this call it never will: others may have it, however long the answer takes.</summary>
    private static void EndUp(RelayedCall call)
    {
        call.ClientEnded = true;
        if (call.IsOnDriver) call.Driver!.ChangeClientReceiveWindow(call, -call.ExtraGrant);
    }

    /// <summary>Trailers of a request mean nothing in gRPC but its end.</summary>
    private Http2Error Trailers(int stream, bool endStream)
    {
        if (stream >= skippedFrom && stream <= skippedTo) return Http2Error.ProtocolError;
        if (!calls.TryGetValue(stream, out var call)) return OnClosedStream(stream) is var error and not Http2Error.NoError ? error : Guard.VoidFrame();
        if (call.ClientEnded) return Break(call, Http2Error.StreamClosed);
        dataCall = call;
        return endStream && !request.IsMalformed && !request.HasPseudoFields ? OnDataPart(stream, default, 0, true, true) : Break(call, Http2Error.ProtocolError);
    }

    public override Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug) => Guard.VoidFrame();

    public override Http2Error OnStreamError(int stream, Http2Error code) =>
        calls.TryGetValue(stream, out var call) ? Break(call, code) : stream > lastStream ? code : Guard.VoidFrame();

    public override Http2Error OnRstStream(int stream, Http2Error code)
    {
        if (!calls.TryGetValue(stream, out var call)) return OnEndedStream(stream);
        var isLive = !call.ClientSideEnded;
        CancelByClient(call);
        return isLive ? Guard.StreamReset() : Guard.LateFrame();
    }

    protected override Http2Error StreamWindowUpdate(int stream, int increment)
    {
        if (!calls.TryGetValue(stream, out var call)) return OnEndedStream(stream);
        if (increment == 0) return Break(call, Http2Error.ProtocolError);
        if (call.ClientSendWindow > Protocol.MaxWindow - increment) return Break(call, Http2Error.FlowControlError);
        call.ClientSendWindow += increment;
        if (!call.Down.IsEmpty) QueueDown(call);
        Flow.GrantDown(call);
        return Http2Error.NoError;
    }

    protected override Http2Error PeerSettingsChanged(int windowDelta)
    {
        if (windowDelta == 0) return Http2Error.NoError;
        foreach (var driver in drivers) driver.MirrorWindow(windowDelta);
        foreach (var call in calls.Values)
        {
            if ((long)call.ClientSendWindow + windowDelta > Protocol.MaxWindow) return Http2Error.FlowControlError;
            call.ClientSendWindow += windowDelta;
            if (!call.Down.IsEmpty) QueueDown(call);
            Flow.GrantDown(call);
        }

        return Http2Error.NoError;
    }

    protected override Http2Error EmptyData() => Guard.EmptyData();

    /// <summary>DATA or HEADERS of a stream that is over. Underway when we reset it: dropped. Else the client itself had ended it.</summary>
    private Http2Error OnClosedStream(int stream)
    {
        var error = OnEndedStream(stream);
        if (error == Http2Error.NoError && Array.IndexOf(ownResets, stream) < 0) WriteReset(stream, Http2Error.StreamClosed);
        return error;
    }

    private void WriteReset(int stream, Http2Error code)
    {
        if (ownResets.Length == 0) ownResets = new int[OwnResetsKept];
        ownResets[ownResetCount++ % OwnResetsKept] = stream;
        Output.WriteRstStream(stream, code);
    }

    /// <summary>Of a stream that is over: sent before the client heard of its end. Of one that never was: a breach.</summary>
    private Http2Error OnEndedStream(int stream) => stream <= lastStream && stream % 2 == 1 ? Guard.LateFrame() : Http2Error.ProtocolError;

    /// <summary>What the client sent broke a rule of its stream: only that stream ends.</summary>
    private Http2Error Break(RelayedCall call, Http2Error code)
    {
        ResetClient(call, code);
        return Guard.StreamReset();
    }

    /// <summary>Cancelled calls whose drivers may still be at work on them.</summary>
    private int LingeringResets()
    {
        var count = 0;
        for (var i = 0; i < drivers.Count; i++) count += drivers[i].LingeringResets;
        return count;
    }

    private void NotHttp2(ReadOnlySpan<byte> bytes)
    {
        var isText = !bytes.IsEmpty && bytes[0] is >= (byte)'A' and <= (byte)'Z';
        if (isText)
        {
            Output.Write("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 84\r\nConnection: close\r\n\r\n"u8);
            Output.Write("This port speaks Spark Connect (gRPC over HTTP/2). Use a client with sc://HOST:PORT\n"u8);
        }

        IsClosing = true;
        Effects.CloseClient();
    }
}
