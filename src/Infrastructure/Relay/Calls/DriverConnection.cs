using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>The connection from one client connection to one driver: a client of HTTP/2, with stream numbers of its own.</summary>
internal sealed partial class DriverConnection : Http2Connection
{
    /// <summary>Calls that have left a queue are cleared out of it when they outnumber those that are there by this.</summary>
    private const int RingSlack = 64;

    /// <summary>SETTINGS that follow the client's window; a driver confirms each in one round trip.</summary>
    private const int MaxUnconfirmedSettings = 1000;

    private readonly ClientConnection client;
    private Dictionary<int, RelayedCall> calls = [];
    private readonly Queue<RelayedCall> waiting = [];
    private readonly Queue<RelayedCall> upRing = [];
    private readonly Queue<RelayedCall> withheld = [];
    private readonly HpackDecoder decoder;
    private readonly ResponseHeaders response = new();
    private readonly Queue<int> unconfirmed = [];
    private ResetLinger? linger;
    private RelayedCall? dataCall;
    private int nextStream = 1;
    private int lastStream;
    private int waitingGone;
    private bool isOpening;
    private int unconfirmedShrink;

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
        unconfirmed.Enqueue(0);
        SendCredit();
    }

    public Route Route { get; }

    public UpwardAccount Account { get; }

    /// <summary>The driver said GOAWAY, or its stream numbers are used up: open calls go on, new ones need another connection.</summary>
    public bool IsDraining { get; private set; }

    public bool IsGone { get; private set; }

    public bool IsIdle => calls.Count == 0 && waiting.Count == waitingGone;

    public long IdleSince { get; private set; }

    /// <summary>The stream window that we have announced to the driver: the client's, mirrored.</summary>
    public int AdvertisedWindow { get; private set; }

    /// <summary>How much more its clients may be allowed to send, so that what is underway and held never exceeds what the driver takes, and a bounded slack.</summary>
    public int UpwardRoom => (int)Math.Max(0, (long)SendWindow + Limits.UpwardSlack - Account.ExtraGrants - Account.Held);

    public IEnumerable<RelayedCall> Calls => calls.Values;

    public IEnumerable<RelayedCall> Waiting => waiting.Where(IsHere);

    /// <summary>Streams that we reset and whose end the driver has not confirmed.</summary>
    public int LingeringResets => linger?.Count(Clock, Output.Taken) ?? 0;

    protected override long Clock => client.Now;

    protected override bool MayPeerEnablePush => false;

    /// <summary>Opens the driver's stream for an admitted call, now or when the driver's settings allow it; in the order of admission.</summary>
    public void Admit(RelayedCall call)
    {
        call.IsOnDriver = true;
        call.Driver = this;
        if (waiting.Count == waitingGone && CanOpen(call))
        {
            Open(call);
        }
        else
        {
            call.IsWaiting = true;
            waiting.Enqueue(call);
        }

        if (IsDraining) client.MoveWaiting(this);
    }

    /// <summary>Calls for which no stream was opened here; they are nobody's until they are admitted elsewhere.</summary>
    public RelayedCall[] TakeWaiting()
    {
        RelayedCall[] taken = [.. Waiting];
        foreach (var call in waiting) call.IsWaiting = false;
        waiting.Clear();
        waitingGone = 0;
        return taken;
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
        if (upRing.Count > RingSlack + (2 * calls.Count)) PurgeRing();
        call.InUpRing = true;
        upRing.Enqueue(call);
    }

    /// <summary>For an idle connection: empty queues hold no room.</summary>
    public void Trim()
    {
        if (calls.Count == 0) calls = [];
        waiting.TrimExcess();
        upRing.TrimExcess();
        withheld.TrimExcess();
        unconfirmed.TrimExcess();
    }

    public void Withhold(RelayedCall call)
    {
        if (call.IsGrantWithheld) return;
        if (withheld.Count > RingSlack + (2 * calls.Count)) PurgeWithheld();
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
            if (!ReferenceEquals(call.Driver, this)) continue; // Moved to another connection, and into its ring.
            call.InUpRing = false;
            if (call.Up.IsEmpty) continue;
            if (Flow.PumpUp(call)) QueueUp(call);
            else if (call.Up.IsEmpty) client.FinishIfOver(call);
        }

        Account.Relieve(share);
        for (var n = withheld.Count; n > 0 && UpwardRoom > 0; n--)
        {
            var call = withheld.Dequeue();
            call.IsGrantWithheld = false;
            if (IsHere(call)) Flow.GrantUp(client, call);
        }

        SendCredit();
        if (unconfirmed.Count > MaxUnconfirmedSettings && !IsClosing) Fail(Http2Error.SettingsTimeout, "SETTINGS not acknowledged");
        BoundOutput();
    }

    /// <summary>The client's stream window changed: mirrored, and applied to every open stream.</summary>
    public void MirrorWindow(int delta)
    {
        AdvertisedWindow += delta;
        unconfirmed.Enqueue(Math.Max(0, -delta));
        unconfirmedShrink += Math.Max(0, -delta);
        Output.WriteSettings([(SettingId.InitialWindowSize, (uint)AdvertisedWindow)]);
        foreach (var call in calls.Values) call.DriverReceiveWindow += delta;
    }

    /// <summary>Resets the driver's stream, if there is one that lives, and forgets the call.</summary>
    public void Abandon(RelayedCall call, Http2Error code)
    {
        if (!IsGone && call.DriverStream != 0 && !(call.DriverEnded && call.DriverSideEnded))
        {
            Output.WriteRstStream(call.DriverStream, code);
            if (!call.DriverEnded) (linger ??= new ResetLinger()).Add(call.DriverStream, Clock + Limits.ResetLingerMs, Output.Written);
        }

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
        else if (call.IsWaiting) waitingGone++;
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

    protected override void Fail(Http2Error error, string reason)
    {
        if (IsGone) return;
        IsGone = IsClosing = true;
        WriteGoAway(0, error, reason);
        client.Effects.PeerMisbehaved(CallSide.Driver, reason);
        client.Effects.CloseDriver(this);
        client.DriverLost(this, $"it broke HTTP/2: {reason}");
    }

    protected override void ConnectionWindowOpened()
    {
        // Settle pumps the ring once for all that a read has brought.
    }

    private void OpenWaiting()
    {
        // A call that cannot be opened ends here, and its end would come back here: once for each, however many wait.
        if (IsGone || isOpening) return;
        isOpening = true;
        while (!IsDraining && waiting.TryPeek(out var call))
        {
            if (IsHere(call) && !CanOpen(call)) break;
            waiting.Dequeue();
            call.IsWaiting = false;
            if (IsHere(call)) Open(call);
            else waitingGone--;
        }

        isOpening = false;
        if (IsDraining) client.MoveWaiting(this);
        if (waitingGone > RingSlack && waitingGone > waiting.Count / 2) PurgeWaiting();
    }

    /// <summary>Cancelled calls must not pile up behind one that waits for a stalled driver.</summary>
    private void PurgeWaiting()
    {
        for (var n = waiting.Count; n > 0; n--)
        {
            var call = waiting.Dequeue();
            call.IsWaiting = IsHere(call);
            if (call.IsWaiting) waiting.Enqueue(call);
        }

        waitingGone = 0;
    }

    private void PurgeRing()
    {
        for (var n = upRing.Count; n > 0; n--)
        {
            var call = upRing.Dequeue();
            if (!ReferenceEquals(call.Driver, this)) continue; // Moved to another connection, and into its ring.
            call.InUpRing = call.IsOnDriver && !call.Up.IsEmpty;
            if (call.InUpRing) upRing.Enqueue(call);
        }
    }

    private void PurgeWithheld()
    {
        for (var n = withheld.Count; n > 0; n--)
        {
            var call = withheld.Dequeue();
            call.IsGrantWithheld = IsHere(call);
            if (call.IsGrantWithheld) withheld.Enqueue(call);
        }
    }

    private bool IsHere(RelayedCall call) => call.IsOnDriver && ReferenceEquals(call.Driver, this);

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

        call.DriverStream = lastStream = nextStream;
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
