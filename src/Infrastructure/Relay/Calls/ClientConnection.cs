using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What all client connections of a gateway share.</summary>
internal sealed record RelayShared(RelayLimits Limits, HeaderNames Names, IRouteTable Routes, ParkedTotal ParkedTotal, IInflater Inflater)
{
    /// <summary>Null: clients need not show anything, and are who they say they are.</summary>
    public AccessRules? Access { get; init; }
}

/// <summary>For gRPC-compressed messages: only their first bytes are ever inflated.</summary>
internal interface IInflater
{
    /// <summary>The message, up to <paramref name="most"/> bytes of it; the encoding is told by its first bytes. Not inflatable: empty.</summary>
    byte[] Inflate(ReadOnlySpan<byte> message, int most, out bool isWhole);
}

/// <summary>
/// A client's connection: a server of HTTP/2 that answers little itself, and owns the driver connections its calls need.
/// Bytes and a clock in; bytes and effects out. One event at a time.
/// </summary>
internal sealed partial class ClientConnection : Http2Connection
{
    private readonly RelayShared shared;
    private readonly Dictionary<int, RelayedCall> calls = [];
    private readonly Queue<RelayedCall> downRing = [];
    private readonly Stack<RelayedCall> spare = [];
    private readonly List<DriverConnection> drivers = [];
    private readonly HpackDecoder decoder;
    private readonly RequestHeaders request;
    private readonly string clientAddress;
    private RelayedCall? dataCall;
    private int prefaceRead;
    private int lastStream;
    private int awaitingMessages;
    private long headersSince;
    private bool isShuttingDown;

    /// <param name="namesUsers">Its peer is trusted to say who the user of each call is.</param>
    public ClientConnection(RelayShared shared, IRelayEffects effects, string clientAddress, long now, bool namesUsers = false)
        : base(shared.Limits.ClientFrames, shared.Limits)
    {
        this.shared = shared;
        this.clientAddress = clientAddress;
        Effects = effects;
        Now = now;
        OpenedAt = now;
        decoder = new HpackDecoder(4096, Limits.MaxHeaderList, Limits.MaxHeaderFields);
        request = new RequestHeaders(shared.Names, namesUsers, keepsCredential: shared.Access is null);
        Parked = new ParkedAccount(Limits.ParkedPerConnection, shared.ParkedTotal);
    }

    public IRelayEffects Effects { get; }

    /// <summary>Milliseconds of a monotonic clock; the host sets it before each event.</summary>
    public long Now { get; set; }

    public long OpenedAt { get; }

    public ParkedAccount Parked { get; }

    public ConnectionContext Context { get; } = new();

    /// <summary>For header blocks on their way out; each use is over before the next begins.</summary>
    public HeaderBlockWriter HeadScratch { get; } = new();

    public IReadOnlyList<DriverConnection> Drivers => drivers;

    public int OpenCalls => calls.Count;

    public bool IsGone { get; private set; }

    public override void Receive(ReadOnlySpan<byte> bytes)
    {
        if (IsClosing) return;
        var preface = Protocol.Preface;
        if (prefaceRead < preface.Length)
        {
            var take = Math.Min(preface.Length - prefaceRead, bytes.Length);
            if (!bytes[..take].SequenceEqual(preface.Slice(prefaceRead, take)))
            {
                NotHttp2(prefaceRead == 0 ? bytes : preface[..prefaceRead]);
                return;
            }

            prefaceRead += take;
            bytes = bytes[take..];
            if (prefaceRead < preface.Length) return;
            Output.WriteSettings([
                (SettingId.MaxConcurrentStreams, (uint)Limits.MaxConcurrentStreams),
                (SettingId.MaxHeaderListSize, (uint)Limits.MaxHeaderList),
            ]);
        }

        var wasInside = IsInsideHeaders;
        base.Receive(bytes);
        if (IsInsideHeaders && !wasInside) headersSince = Now;
    }

    /// <summary>When <see cref="Tick"/> has something to look at; long.MaxValue: nothing has a deadline.</summary>
    public long NextDeadline()
    {
        if (IsGone || IsClosing) return long.MaxValue;
        var next = HasPeerSettings ? long.MaxValue : OpenedAt + Limits.SlowPeerMs;
        if (awaitingMessages > 0 || IsInsideHeaders) next = Math.Min(next, Now + 1000);
        foreach (var driver in drivers)
        {
            if (driver.IsIdle) next = Math.Min(next, driver.IsDraining ? Now : driver.IdleSince + Limits.DriverIdleMs);
        }

        return next;
    }

    /// <summary>After each batch of events: held data moves, and credit goes to whom it is due. True if that made new output.</summary>
    public void Settle()
    {
        if (IsGone || prefaceRead < Protocol.Preface.Length) return;
        while (SendWindow > 0 && downRing.TryDequeue(out var call))
        {
            call.InDownRing = false;
            if (call.State == CallState.Done) continue;
            if (Flow.PumpDown(this, call)) QueueDown(call);
        }

        var share = Limits.ConnectionWindow / 2 / Math.Max(1, drivers.Count);
        for (var i = 0; i < drivers.Count; i++) drivers[i].Settle(share);
        SendCredit();
    }

    /// <summary>Ends what has passed its deadline.</summary>
    public void Tick()
    {
        if (IsGone || IsClosing) return;
        if ((!HasPeerSettings && Now - OpenedAt > Limits.SlowPeerMs) || (IsInsideHeaders && Now - headersSince > Limits.SlowPeerMs))
        {
            Fail(Http2Error.EnhanceYourCalm);
            return;
        }

        if (awaitingMessages > 0)
        {
            foreach (var call in calls.Values.Where(c => c.State == CallState.AwaitingMessage && Now - c.StartedAt > Limits.SlowPeerMs).ToArray())
                Answer(call, GatewayError.Invalid($"The request's first message did not arrive within {Limits.SlowPeerMs / 1000} s."));
        }

        foreach (var driver in drivers.Where(d => d.IsIdle && (d.IsDraining || Now - d.IdleSince > Limits.DriverIdleMs)).ToArray()) Drop(driver);
    }

    /// <summary>The client's socket is gone: its calls are cancelled, its drivers' connections end.</summary>
    public void ClientGone()
    {
        if (IsGone) return;
        IsGone = IsClosing = true;
        Output.Clear();
        EndAdmissions();
        foreach (var call in calls.Values.ToArray()) CancelByClient(call);
        foreach (var driver in drivers.ToArray()) Drop(driver);
    }

    /// <summary>First step of a shutdown: no new calls, the open ones go on.</summary>
    public void BeginShutdown()
    {
        if (IsClosing || isShuttingDown) return;
        isShuttingDown = true;
        Output.WriteGoAway(Protocol.MaxStreamId, Http2Error.NoError, default);
        if (calls.Count == 0) FinishShutdown();
    }

    /// <summary>Last step: what is still open ends UNAVAILABLE, so that the client comes back to another replica.</summary>
    public void FinishShutdown()
    {
        if (IsClosing) return;
        EndAdmissions();
        foreach (var call in calls.Values.ToArray())
            Answer(call, GatewayError.Unavailable(Blame.Gateway, "The gateway is shutting down; the client will connect again and go on."));
        if (IsClosing) return;
        Output.WriteGoAway(lastStream, Http2Error.NoError, default);
        IsClosing = true;
        Effects.CloseClient();
    }

    public override Http2Error OnDataStart(int stream, int length)
    {
        if (!Book.Receive(length)) return Http2Error.FlowControlError;
        if (!HasPeerSettings) return Http2Error.ProtocolError;
        if (!calls.TryGetValue(stream, out dataCall)) return stream <= lastStream && stream % 2 == 1 ? Http2Error.NoError : Http2Error.ProtocolError;
        if (dataCall.ClientEnded) return Http2Error.StreamClosed;
        if (dataCall.IsOnDriver) dataCall.Driver!.ChangeClientReceiveWindow(dataCall, -length);
        else dataCall.ClientReceiveWindow -= length;
        if (dataCall.ClientReceiveWindow < 0) ResetClient(dataCall, Http2Error.FlowControlError);
        return Http2Error.NoError;
    }

    public override Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream)
    {
        var call = dataCall;
        if (padding > 0) Book.Taken(padding);
        if (call is null)
        {
            Book.Taken(bytes.Length);
            return Http2Error.NoError;
        }

        if (endStream) call.ClientEnded = true;
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

        return Http2Error.NoError;
    }

    public override Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        if (!HasPeerSettings || stream % 2 == 0) return Http2Error.ProtocolError;
        request.Begin();
        var decoded = decoder.Decode(block, request);
        var isTooLarge = decoded is HpackError.ListTooLarge or HpackError.TooManyFields;
        if (decoded != HpackError.None && !isTooLarge) return Http2Error.CompressionError;
        if (stream <= lastStream) return Trailers(stream, endStream);
        lastStream = stream;
        if (isShuttingDown)
        {
            Output.WriteRstStream(stream, Http2Error.RefusedStream);
            return Http2Error.NoError;
        }

        if (calls.Count >= Limits.MaxConcurrentStreams || request.IsMalformed)
        {
            Output.WriteRstStream(stream, request.IsMalformed ? Http2Error.ProtocolError : Http2Error.RefusedStream);
            return Http2Error.NoError;
        }

        var call = spare.Count > 0 ? spare.Pop() : new RelayedCall();
        call.Begin(stream, PeerInitialWindow, request, request.Own(), Now);
        calls.Add(stream, call);
        call.ClientEnded = endStream;
        awaitingMessages++;
        BeginCall(call, isTooLarge);
        return Http2Error.NoError;
    }

    /// <summary>Trailers of a request mean nothing in gRPC but its end.</summary>
    private Http2Error Trailers(int stream, bool endStream)
    {
        // Of a stream that is over: sent before the client heard of its end.
        if (!calls.TryGetValue(stream, out var call)) return Http2Error.NoError;
        if (call.ClientEnded) return Http2Error.StreamClosed;
        dataCall = call;
        if (endStream) return OnDataPart(stream, default, 0, true, true);
        ResetClient(call, Http2Error.ProtocolError);
        return Http2Error.NoError;
    }

    public override Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug) => Http2Error.NoError;

    public override Http2Error OnRstStream(int stream, Http2Error code)
    {
        if (!calls.TryGetValue(stream, out var call)) return stream <= lastStream && stream % 2 == 1 ? Http2Error.NoError : Http2Error.ProtocolError;
        CancelByClient(call);
        return Http2Error.NoError;
    }

    public void SendData(RelayedCall call, ReadOnlySpan<byte> bytes, bool end, ITakenSink source)
    {
        call.ClientSendWindow -= bytes.Length;
        SendWindow -= bytes.Length;
        do
        {
            var part = bytes[..Math.Min(bytes.Length, PeerMaxFrame)];
            bytes = bytes[part.Length..];
            Output.WriteData(call.ClientStream, part, end && bytes.IsEmpty, source);
        }
        while (!bytes.IsEmpty);
        call.ClientSideEnded |= end;
    }

    public void QueueDown(RelayedCall call)
    {
        if (call.InDownRing) return;
        call.InDownRing = true;
        downRing.Enqueue(call);
    }

    public override void Dispose()
    {
        base.Dispose();
        request.Dispose();
        HeadScratch.Dispose();
    }

    protected override Http2Error StreamWindowUpdate(int stream, int increment)
    {
        if (!calls.TryGetValue(stream, out var call)) return stream <= lastStream && stream % 2 == 1 ? Http2Error.NoError : Http2Error.ProtocolError;
        if (increment == 0 || call.ClientSendWindow > Protocol.MaxWindow - increment)
        {
            ResetClient(call, increment == 0 ? Http2Error.ProtocolError : Http2Error.FlowControlError);
            return Http2Error.NoError;
        }

        call.ClientSendWindow += increment;
        if (!call.Down.IsEmpty) QueueDown(call);
        Flow.GrantDown(call);
        return Http2Error.NoError;
    }

    protected override void ConnectionWindowOpened()
    {
        // Settle pumps the ring once for all that a read has brought.
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

    protected override void Fail(Http2Error error)
    {
        if (IsClosing) return;
        Output.WriteGoAway(lastStream, error, default);
        IsClosing = true;
        EndAdmissions();
        foreach (var call in calls.Values.ToArray()) CancelByClient(call);
        Effects.CloseClient();
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
