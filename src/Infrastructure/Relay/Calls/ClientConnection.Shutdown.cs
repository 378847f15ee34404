using SparkGateway.Domain;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// The farewell of a connection, in two steps. Between them the client's calls go on, and those that it had sent before it
/// read the first are taken: the answer to a PING says when it has.
/// </summary>
internal sealed partial class ClientConnection
{
    private bool isShuttingDown;
    private bool refusesCalls;

    /// <summary>Eight bytes, by which the answer is known.</summary>
    private static ReadOnlySpan<byte> FarewellPing => "farewell"u8;

    public override Http2Error OnPingAck(ReadOnlySpan<byte> opaque)
    {
        if (!isShuttingDown || !opaque.SequenceEqual(FarewellPing)) return base.OnPingAck(opaque);
        refusesCalls = true;
        FinishIfDrained();
        return Http2Error.NoError;
    }

    /// <summary>First step: the client goes elsewhere with its next calls. Streams of health end now, or they would last for the whole drain.</summary>
    public void BeginShutdown()
    {
        if (IsClosing || isShuttingDown) return;
        isShuttingDown = true;
        if (!HasPeerSettings)
        {
            FinishShutdown();
            return;
        }

        Output.WriteGoAway(Protocol.MaxStreamId, Http2Error.NoError, default);
        Output.WritePing(FarewellPing);
        foreach (var watch in calls.Values.Where(IsHealthWatch).ToArray())
        {
            AnswerWith(watch, LocalReply.Health(isServing: false));
            Answer(watch, ShuttingDown());
        }
    }

    /// <summary>Last step: what is still open ends UNAVAILABLE, so that the client comes back to another replica.</summary>
    public void FinishShutdown()
    {
        if (IsClosing) return;
        EndAdmissions();
        foreach (var call in calls.Values.ToArray()) Answer(call, ShuttingDown());
        if (IsClosing) return;
        if (prefaceRead == Protocol.Preface.Length) Output.WriteGoAway(lastStream, Http2Error.NoError, default);
        IsClosing = true;
        Effects.CloseClient();
    }

    private void FinishIfDrained()
    {
        if (refusesCalls && calls.Count == 0 && !IsGone) FinishShutdown();
    }

    /// <summary>The only response of our own that has begun and has no end yet.</summary>
    private static bool IsHealthWatch(RelayedCall call) => call is { State: CallState.Answered, ClientSideEnded: false, DownTrailers: null };

    private static GatewayError ShuttingDown() =>
        GatewayError.Unavailable(Blame.Gateway, "The gateway is shutting down; the client will connect again and go on.");
}
