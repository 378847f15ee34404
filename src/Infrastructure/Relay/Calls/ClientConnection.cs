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

    /// <summary>Null: calls have no spans.</summary>
    public ICallTracer? Tracer { get; init; }
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
    /// <summary>Silence after which a connection without calls gives up what it kept for its next ones. Milliseconds.</summary>
    private const int TrimMs = 2000;

    /// <summary>Streams that we have reset lately: what the client sent them before it knew is no fault of its.</summary>
    private const int OwnResetsKept = 32;

    private readonly RelayShared shared;
    private Dictionary<int, RelayedCall> calls = [];
    private readonly Queue<RelayedCall> downRing = [];
    private readonly Stack<RelayedCall> spare = [];
    private readonly List<DriverConnection> drivers = [];
    private readonly HpackDecoder decoder;
    private readonly RequestHeaders request;
    private readonly string clientAddress;
    private RelayedCall? dataCall;
    private int prefaceRead;
    private int lastStream;
    private int skippedFrom;
    private int skippedTo = -1;
    private int[] ownResets = [];
    private uint ownResetCount;
    private int awaitingMessages;
    private long headersSince;
    private long lastRead;
    private bool isTrimmed;

    /// <param name="namesUsers">Its peer is trusted to say who the user of each call is.</param>
    public ClientConnection(RelayShared shared, IRelayEffects effects, string clientAddress, long now, bool namesUsers = false)
        : base(shared.Limits.ClientFrames, shared.Limits)
    {
        this.shared = shared;
        this.clientAddress = clientAddress;
        Effects = effects;
        Now = now;
        OpenedAt = now;
        decoder = new HpackDecoder(Protocol.DefaultHeaderTable, Limits.MaxHeaderList, Limits.MaxHeaderFields);
        request = new RequestHeaders(shared.Names, namesUsers, keepsCredential: shared.Access is null, readsTrace: shared.Tracer is not null);
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

    protected override long Clock => Now;

    protected override bool MayPeerEnablePush => true;

    private bool MayTrim => !isTrimmed && calls.Count == 0;

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

        lastRead = Now;
        isTrimmed = false;
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
        if (MayTrim) next = Math.Min(next, lastRead + TrimMs);
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
        BoundOutput();
        HeadScratch.Release();
        request.Kept.Release();
    }

    /// <summary>Ends what has passed its deadline.</summary>
    public void Tick()
    {
        if (IsGone || IsClosing) return;
        if ((!HasPeerSettings && Now - OpenedAt > Limits.SlowPeerMs) || (IsInsideHeaders && Now - headersSince > Limits.SlowPeerMs))
        {
            Fail(Http2Error.EnhanceYourCalm, "preface or headers too slow");
            return;
        }

        if (MayTrim && Now - lastRead >= TrimMs) Trim();
        if (awaitingMessages > 0)
        {
            foreach (var call in calls.Values.Where(c => c.State == CallState.AwaitingMessage && Now - c.StartedAt > Limits.SlowPeerMs).ToArray())
                Answer(call, GatewayError.Invalid($"The request's first message did not arrive within {Limits.SlowPeerMs / 1000} s."));
        }

        foreach (var driver in drivers.Where(d => d.IsIdle && (d.IsDraining || Now - d.IdleSince > Limits.DriverIdleMs)).ToArray()) Drop(driver);
    }

    /// <summary>An idle connection keeps what its next call needs from the past, and nothing that is made again in no time.</summary>
    private void Trim()
    {
        isTrimmed = true;
        spare.Clear();
        spare.TrimExcess();
        downRing.TrimExcess();
        calls = [];
        if (parked.Count == 0) parked = [];
        request.Trim();
        foreach (var driver in drivers) driver.Trim();
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
        if (downRing.Count > 64 + (2 * calls.Count)) PurgeRing();
        call.InDownRing = true;
        downRing.Enqueue(call);
    }

    /// <summary>Calls that are over must not pile up while the connection's window is closed.</summary>
    private void PurgeRing()
    {
        for (var n = downRing.Count; n > 0; n--)
        {
            var call = downRing.Dequeue();
            call.InDownRing = call.State != CallState.Done;
            if (call.InDownRing) downRing.Enqueue(call);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        request.Dispose();
        HeadScratch.Dispose();
    }

    protected override void ConnectionWindowOpened()
    {
        // Settle pumps the ring once for all that a read has brought.
    }

    protected override void Fail(Http2Error error, string reason)
    {
        if (IsClosing) return;
        if (prefaceRead == Protocol.Preface.Length) WriteGoAway(lastStream, error, reason);
        IsClosing = true;
        EndAdmissions();
        foreach (var call in calls.Values.ToArray()) CancelByClient(call);
        Effects.PeerMisbehaved(CallSide.Client, reason);
        Effects.CloseClient();
    }

    /// <summary>What its driver sent about this call made no sense; the driver's stream is reset already.</summary>
    public void DriverBroke(RelayedCall call, DriverConnection driver) =>
        EndCalls([call], GatewayError.Unavailable(Blame.Driver, $"The driver of session {driver.Route.Session.Name} broke HTTP/2 in this call."));
}
