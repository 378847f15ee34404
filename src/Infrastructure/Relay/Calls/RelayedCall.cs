using System.Buffers;
using System.Diagnostics;
using SparkGateway.Domain.Routing;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

internal enum CallState
{
    /// <summary>The headers are here; the first message does not say yet whose call it is.</summary>
    AwaitingMessage,

    /// <summary>Waits for a decision, perhaps for a driver to start.</summary>
    Parked,

    /// <summary>Belongs to a driver.</summary>
    Forwarding,

    /// <summary>Answered by the relay: what the client still sends is dropped.</summary>
    Answered,

    Done,
}

/// <summary>One call: its two streams, their four windows and what is held between them. Pure state; the connections act on it.</summary>
internal sealed class RelayedCall
{
    private byte[] block = [];
    private int blockLength;
    private MessageEditor? spareEditor;

    public int ClientStream { get; private set; }

    /// <summary>0 until the driver's stream is open.</summary>
    public int DriverStream { get; set; }

    public CallState State { get; set; }

    public SparkRpc Rpc { get; private set; }

    public GatewayHeaders Headers { get; private set; } = null!;

    public LiveBinding? Binding { get; set; }

    public DriverConnection? Driver { get; set; }

    /// <summary>The driver connection counts this call among its own.</summary>
    public bool IsOnDriver { get; set; }

    public long StartedAt { get; private set; }

    /// <summary>What the client allows us to send on its stream; negative after its SETTINGS shrank.</summary>
    public int ClientSendWindow { get; set; }

    /// <summary>What we have allowed the client to send.</summary>
    public int ClientReceiveWindow { get; set; }

    /// <summary>What the driver allows us to send.</summary>
    public int DriverSendWindow { get; set; }

    /// <summary>What we have allowed the driver to send.</summary>
    public int DriverReceiveWindow { get; set; }

    /// <summary>The client has sent END_STREAM.</summary>
    public bool ClientEnded { get; set; }

    /// <summary>END_STREAM for the driver waits behind <see cref="Up"/>, or has been sent.</summary>
    public bool DriverSideEnded { get; set; }

    /// <summary>The driver has sent END_STREAM, or a reset.</summary>
    public bool DriverEnded { get; set; }

    /// <summary>Bytes of the request that its content-length still promises; -1: it has none.</summary>
    public long ContentLeft { get; set; }

    public bool ResponseStarted { get; set; }

    /// <summary>END_STREAM or a reset has gone to the client, or the client has reset: nothing more may be sent.</summary>
    public bool ClientSideEnded { get; set; }

    /// <summary>The response is held back until a clone's binding is stored.</summary>
    public bool HoldsResponse { get; set; }

    /// <summary>The ReleaseSession request asked for a session that can come back.</summary>
    public bool AllowsReconnect { get; set; }

    /// <summary>In its driver connection's queue for a stream, perhaps as one that has left.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Changes the request's messages on their way up; null where nothing is changed.</summary>
    public MessageEditor? Editor { get; private set; }

    public bool InUpRing { get; set; }

    public bool InDownRing { get; set; }

    public bool IsGrantWithheld { get; set; }

    /// <summary>Request data that waits for the driver's windows, or for a driver.</summary>
    public ByteQueue Up { get; } = new();

    /// <summary>Response data that waits for the client's windows.</summary>
    public ByteQueue Down { get; } = new();

    /// <summary>END_STREAM of a response without trailers waits behind <see cref="Down"/>.</summary>
    public bool DownEnds { get; set; }

    /// <summary>Trailers that wait behind <see cref="Down"/>.</summary>
    public byte[]? DownTrailers { get; set; }

    /// <summary>A reset that waits behind <see cref="Down"/>.</summary>
    public Http2Error? DownReset { get; set; }

    public int GrpcStatus { get; set; }

    public CallSide EndedBy { get; set; }

    public Domain.GatewayError? Error { get; set; }

    /// <summary>Null: none is kept of it.</summary>
    public Activity? Span { get; set; }

    /// <summary>Headers for the driver but for :authority and its token.</summary>
    public ReadOnlySpan<byte> Block => block.AsSpan(0, blockLength);

    /// <summary>Sum of name + value + 32 over <see cref="Block"/>: what a peer's header limit counts.</summary>
    public int BlockListBytes { get; private set; }

    /// <summary>What the client may send beyond the window that every stream starts with.</summary>
    public int ExtraGrant => Math.Max(0, ClientReceiveWindow - Protocol.DefaultWindow);

    public bool CanBeReused => !IsWaiting && !InUpRing && !InDownRing && !IsGrantWithheld && block.Length <= 4096;

    public void Begin(int clientStream, int clientSendWindow, RequestHeaders request, GatewayHeaders own, long now)
    {
        ClientStream = clientStream;
        DriverStream = 0;
        State = CallState.AwaitingMessage;
        Rpc = request.Rpc;
        Headers = own;
        ContentLeft = request.ContentLength;
        Binding = null;
        Driver = null;
        Editor = null;
        IsOnDriver = false;
        StartedAt = now;
        ClientSendWindow = clientSendWindow;
        ClientReceiveWindow = Protocol.DefaultWindow;
        DriverSendWindow = DriverReceiveWindow = 0;
        ClientEnded = DriverSideEnded = DriverEnded = ResponseStarted = ClientSideEnded = HoldsResponse = AllowsReconnect = DownEnds = false;
        DownTrailers = null;
        DownReset = null;
        GrpcStatus = -1;
        EndedBy = CallSide.Client;
        Error = null;
        var kept = request.Kept.Written;
        if (block.Length < kept.Length) block = new byte[Math.Max(256, kept.Length)];
        kept.CopyTo(block);
        blockLength = kept.Length;
        BlockListBytes = request.Kept.ListBytes;
    }

    /// <summary>Each message will end with these fields.</summary>
    public void EditWith(byte[] tail)
    {
        Editor = spareEditor ??= new MessageEditor();
        Editor.Begin(tail);
    }

    /// <summary>The first bytes of the request in one piece; <paramref name="rented"/> is to be given back.</summary>
    public ReadOnlySpan<byte> PeekUp(int most, out byte[]? rented)
    {
        rented = null;
        var first = Up.Peek(most);
        if (first.Length >= Math.Min(most, Up.Length)) return first;
        rented = ArrayPool<byte>.Shared.Rent(most);
        return rented.AsSpan(0, Up.CopyTo(rented.AsSpan(0, most)));
    }
}
