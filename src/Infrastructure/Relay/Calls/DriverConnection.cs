using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>The connection from one client connection to one driver: a client of HTTP/2, with stream numbers of its own.</summary>
internal sealed class DriverConnection : Http2Connection, IHeaderSink
{
    private readonly ClientConnection client;
    private readonly Dictionary<int, RelayedCall> calls = [];
    private readonly Queue<RelayedCall> waiting = [];
    private readonly Queue<RelayedCall> upRing = [];
    private readonly Queue<RelayedCall> withheld = [];
    private readonly HpackDecoder decoder;
    private RelayedCall? dataCall;
    private int nextStream = 1;
    private int grpcStatus = -1;
    private bool isInformational;

    public DriverConnection(ClientConnection client, Route route)
        : base(client.Limits.DriverFrames, client.Limits)
    {
        this.client = client;
        Route = route;
        Account = new UpwardAccount(client.Book, client.Parked);
        decoder = new HpackDecoder(0, Limits.MaxHeaderList, Limits.MaxHeaderFields);
        AdvertisedWindow = client.PeerInitialWindow;
        IdleSince = client.Now;
        Output.Write(Protocol.Preface);
        Output.WriteSettings([
            (SettingId.HeaderTableSize, 0),
            (SettingId.EnablePush, 0),
            (SettingId.InitialWindowSize, (uint)AdvertisedWindow),
            (SettingId.MaxFrameSize, (uint)Limits.MaxDriverFrame),
            (SettingId.MaxHeaderListSize, (uint)Math.Min(client.PeerMaxHeaderList, Limits.MaxHeaderList)),
        ]);
        SendCredit();
    }

    public Route Route { get; }

    public UpwardAccount Account { get; }

    /// <summary>The driver said GOAWAY, or its stream numbers are used up: open calls go on, new ones need another connection.</summary>
    public bool IsDraining { get; private set; }

    public bool IsGone { get; private set; }

    public bool IsIdle => calls.Count == 0 && waiting.Count == 0;

    public long IdleSince { get; private set; }

    /// <summary>The stream window that we have announced to the driver: the client's, mirrored.</summary>
    public int AdvertisedWindow { get; private set; }

    /// <summary>How much more its clients may be allowed to send, so that what is underway and held never exceeds what the driver takes, and a bounded slack.</summary>
    public int UpwardRoom => (int)Math.Max(0, (long)SendWindow + Limits.UpwardSlack - Account.ExtraGrants - Account.Held);

    public IEnumerable<RelayedCall> Calls => calls.Values;

    public IEnumerable<RelayedCall> Waiting => waiting;

    /// <summary>Opens the driver's stream for an admitted call, now or when the driver's settings allow it; in the order of admission.</summary>
    public void Admit(RelayedCall call)
    {
        call.IsOnDriver = true;
        call.Driver = this;
        if (waiting.Count > 0 || !CanOpen(call)) waiting.Enqueue(call);
        else Open(call);
    }

    public void SendData(RelayedCall call, ReadOnlySpan<byte> bytes, bool end)
    {
        call.DriverSendWindow -= bytes.Length;
        SendWindow -= bytes.Length;
        do
        {
            var part = bytes[..Math.Min(bytes.Length, PeerMaxFrame)];
            bytes = bytes[part.Length..];
            Output.WriteData(call.DriverStream, part, end && bytes.IsEmpty, Account);
        }
        while (!bytes.IsEmpty);
        call.DriverSideEnded |= end;
    }

    public void QueueUp(RelayedCall call)
    {
        if (call.InUpRing) return;
        call.InUpRing = true;
        upRing.Enqueue(call);
    }

    public void Withhold(RelayedCall call)
    {
        if (call.IsGrantWithheld) return;
        call.IsGrantWithheld = true;
        withheld.Enqueue(call);
    }

    /// <summary>Keeps the sum of what clients may send beyond their first windows.</summary>
    public void ChangeClientReceiveWindow(RelayedCall call, int delta)
    {
        var before = call.ExtraGrant;
        call.ClientReceiveWindow += delta;
        Account.ExtraGrants += call.ExtraGrant - before;
    }

    /// <summary>After each batch of events: held data goes as far as the windows allow, then grants that the bound held back, then credit.</summary>
    public void Settle(int share)
    {
        if (IsGone) return;
        while (SendWindow > 0 && upRing.TryDequeue(out var call))
        {
            call.InUpRing = false;
            if (!ReferenceEquals(call.Driver, this) || call.Up.IsEmpty) continue;
            if (Flow.PumpUp(call)) QueueUp(call);
            else if (call.Up.IsEmpty) client.FinishIfOver(call);
        }

        Account.Relieve(share);
        for (var n = withheld.Count; n > 0 && UpwardRoom > 0; n--)
        {
            var call = withheld.Dequeue();
            call.IsGrantWithheld = false;
            if (ReferenceEquals(call.Driver, this)) Flow.GrantUp(client, call);
        }

        SendCredit();
    }

    /// <summary>The client's stream window changed: mirrored, and applied to every open stream.</summary>
    public void MirrorWindow(int delta)
    {
        AdvertisedWindow += delta;
        Output.WriteSettings([(SettingId.InitialWindowSize, (uint)AdvertisedWindow)]);
        foreach (var call in calls.Values) call.DriverReceiveWindow += delta;
    }

    /// <summary>Resets the driver's stream, if there is one that lives, and forgets the call.</summary>
    public void Abandon(RelayedCall call, Http2Error code)
    {
        if (!IsGone && call.DriverStream != 0 && !(call.DriverEnded && call.DriverSideEnded)) Output.WriteRstStream(call.DriverStream, code);
        Forget(call);
    }

    /// <summary>Nothing of this call will come or go here any more.</summary>
    public void Forget(RelayedCall call)
    {
        if (!call.IsOnDriver) return;
        call.IsOnDriver = false;
        Account.ExtraGrants -= call.ExtraGrant;
        if (!call.Up.IsEmpty)
        {
            Account.Taken(call.Up.Length);
            call.Up.Clear();
        }

        call.DriverEnded = call.DriverSideEnded = true;
        if (call.DriverStream != 0) calls.Remove(call.DriverStream);
        if (ReferenceEquals(dataCall, call)) dataCall = null;
        if (IsIdle) IdleSince = client.Now;
        OpenWaiting();
    }

    /// <summary>The socket is gone, or the driver broke the protocol.</summary>
    public void Lost(string why)
    {
        if (IsGone) return;
        IsGone = IsClosing = true;
        Output.Clear();
        client.DriverLost(this, why);
    }

    /// <summary>Says goodbye and closes: the client is gone, the driver is idle or its session has ended.</summary>
    public void Close()
    {
        if (IsGone) return;
        IsGone = IsClosing = true;
        Output.WriteGoAway(0, Http2Error.NoError, default);
        client.Effects.CloseDriver(this);
    }

    public override Http2Error OnDataStart(int stream, int length)
    {
        if (!Book.Receive(length)) return Http2Error.FlowControlError;
        calls.TryGetValue(stream, out dataCall);
        if (dataCall is null) return stream < nextStream ? Http2Error.NoError : Http2Error.ProtocolError;
        if (dataCall.DriverEnded || !dataCall.ResponseStarted) return Http2Error.ProtocolError;
        dataCall.DriverReceiveWindow -= length;
        return Http2Error.NoError;
    }

    public override Http2Error OnDataPart(int stream, ReadOnlySpan<byte> bytes, int padding, bool last, bool endStream)
    {
        var call = dataCall;
        if (call is null || call.ClientSideEnded)
        {
            Book.Taken(bytes.Length + padding);
            if (call is not null && endStream) client.DriverStreamEnded(call);
            return Http2Error.NoError;
        }

        Book.Taken(padding);
        if (endStream) call.DriverEnded = true;
        Flow.Down(client, call, bytes, endStream, Book);
        if (endStream) client.DriverStreamEnded(call);
        else Flow.GrantDown(call);
        return Http2Error.NoError;
    }

    public override Http2Error OnHeaders(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        grpcStatus = -1;
        isInformational = false;
        var decoded = decoder.Decode(block, this);
        if (decoded is HpackError.ListTooLarge or HpackError.TooManyFields) return Http2Error.EnhanceYourCalm;
        if (decoded != HpackError.None) return Http2Error.CompressionError;
        if (!calls.TryGetValue(stream, out var call)) return stream < nextStream ? Http2Error.NoError : Http2Error.ProtocolError;
        if (call.DriverEnded || (call.ResponseStarted && !endStream)) return Http2Error.ProtocolError;
        if (isInformational) return endStream ? Http2Error.ProtocolError : Http2Error.NoError;
        client.ResponseHeaders(call, block, endStream, grpcStatus);
        return Http2Error.NoError;
    }

    public override Http2Error OnGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug)
    {
        IsDraining = true;
        var refused = calls.Where(pair => pair.Key > lastStream).Select(pair => pair.Value).ToArray();
        client.DriverRefused(this, [.. refused, .. waiting]);
        waiting.Clear();
        return Http2Error.NoError;
    }

    public override Http2Error OnRstStream(int stream, Http2Error code)
    {
        if (!calls.TryGetValue(stream, out var call)) return stream < nextStream ? Http2Error.NoError : Http2Error.ProtocolError;
        client.DriverReset(call, code);
        return Http2Error.NoError;
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual(":status"u8)) isInformational = value.Length == 3 && value[0] == '1';
        else if (name.SequenceEqual("grpc-status"u8) && System.Buffers.Text.Utf8Parser.TryParse(value, out int status, out _)) grpcStatus = status;
    }

    protected override void Fail(Http2Error error)
    {
        Output.WriteGoAway(0, error, default);
        client.Effects.CloseDriver(this);
        IsGone = IsClosing = true;
        client.DriverLost(this, $"it broke HTTP/2 ({error})");
    }

    protected override Http2Error StreamWindowUpdate(int stream, int increment)
    {
        if (!calls.TryGetValue(stream, out var call)) return stream < nextStream ? Http2Error.NoError : Http2Error.ProtocolError;
        if (increment == 0 || call.DriverSendWindow > Protocol.MaxWindow - increment) return Http2Error.FlowControlError;
        call.DriverSendWindow += increment;
        if (!call.Up.IsEmpty) QueueUp(call);
        Flow.GrantUp(client, call);
        return Http2Error.NoError;
    }

    protected override void ConnectionWindowOpened()
    {
        // Settle pumps the ring once for all that a read has brought.
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

    private void OpenWaiting()
    {
        if (IsGone || IsDraining) return;
        while (waiting.TryPeek(out var call))
        {
            if (call.State != CallState.Forwarding)
            {
                waiting.Dequeue();
                continue;
            }

            if (!CanOpen(call)) return;
            waiting.Dequeue();
            Open(call);
        }
    }

    /// <summary>Small header lists need not wait for the driver's settings; a large one may break the whole connection there.</summary>
    private bool CanOpen(RelayedCall call) => calls.Count < PeerMaxStreams && (HasPeerSettings || ListBytes(call) <= SafeHeaderList);

    /// <summary>Half of the smallest limit that a Spark server announces (8,192).</summary>
    private const int SafeHeaderList = 4096;

    private int ListBytes(RelayedCall call) => call.BlockListBytes + ":authority".Length + Route.AddressUtf8.Length + 32
        + (Credential(call).IsEmpty ? 0 : "authorization".Length + Credential(call).Length + 32);

    private ReadOnlySpan<byte> Credential(RelayedCall call) => Route.PassesClientAuthorization ? call.Headers.DriverAuthorization : Route.Authorization.Span;

    private void Open(RelayedCall call)
    {
        if (ListBytes(call) > PeerMaxHeaderList)
        {
            client.Answer(call, new GatewayError(ErrorCode.ResourceExhausted, Blame.Client,
                $"The request's headers add up to {ListBytes(call)} bytes; this driver takes {PeerMaxHeaderList}. Send fewer or shorter headers."));
            return;
        }

        call.DriverStream = nextStream;
        if (nextStream >= Protocol.MaxStreamId - 2) IsDraining = true;
        else nextStream += 2;
        call.DriverSendWindow = PeerInitialWindow;
        call.DriverReceiveWindow = AdvertisedWindow;
        calls.Add(call.DriverStream, call);
        var head = client.HeadScratch;
        head.Reset();
        head.Append(":authority"u8, Route.AddressUtf8.Span);
        var lead = head.Written.Length;
        head.AppendRaw(call.Block);
        if (!Credential(call).IsEmpty) head.AppendNeverIndexed("authorization"u8, Credential(call));
        var endsAtOnce = call.ClientEnded && call.Up.IsEmpty && call.DriverSideEnded;
        Output.WriteHeaders(call.DriverStream, head.Written[..lead], head.Written[lead..], endsAtOnce, PeerMaxFrame);
        if (!call.Up.IsEmpty) QueueUp(call);
        Flow.GrantUp(client, call);
        Flow.GrantDown(call);
    }
}
