using System.Diagnostics;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// What the state machines of one client connection ask of the world. Each method returns at once; answers come back as
/// events on the loop that owns the connection.
/// </summary>
internal interface IRelayEffects
{
    /// <summary>Dial the driver; its output may be sent as soon as it is connected. Answer: nothing, or DriverConnection.Lost.</summary>
    void Connect(DriverConnection driver);

    /// <summary>Close the driver's socket once its output has been sent.</summary>
    void CloseDriver(DriverConnection driver);

    /// <summary>Close the client's socket once its output has been sent.</summary>
    void CloseClient();

    /// <summary>A peer broke the protocol or used up a budget, and its connection ends. The reason is one of few values.</summary>
    void PeerMisbehaved(CallSide side, string reason);

    /// <summary>Decide where a client session goes. Answer: ClientConnection.Admitted.</summary>
    void Admit(ParkedGroup group, RouteRequest request);

    /// <summary>Nobody waits for that decision any more.</summary>
    void CancelAdmission(ParkedGroup group);

    /// <summary>Bind the client session that a CloneSession made. Answer: ClientConnection.CloneBound.</summary>
    void BindClone(RelayedCall call, LiveBinding parent, string newClientSessionId);

    /// <summary>The driver has confirmed a ReleaseSession.</summary>
    void Released(LiveBinding binding, string userAgent);

    /// <summary>So many calls were refused for what their client is or did, with this error in the end: for the audit.</summary>
    void Denied(GatewayError error, int count, Caller caller);

    /// <summary>A call is over, or never got anywhere. Called once for each call.</summary>
    void CallEnded(in CallOutcome outcome);
}

internal enum CallSide
{
    Client,
    Gateway,
    Driver,
}

/// <summary>How a call ended: who ended it, and with which gRPC status (-1: none, the stream was reset).</summary>
/// <param name="Binding">Null: it belonged to no driver.</param>
/// <param name="Milliseconds">From its headers to its end, by the relay's clock.</param>
/// <param name="Span">Null: it has none.</param>
internal readonly record struct CallOutcome(SparkRpc Rpc, LiveBinding? Binding, CallSide Side, int GrpcStatus, GatewayError? Error, long Milliseconds, Activity? Span);
