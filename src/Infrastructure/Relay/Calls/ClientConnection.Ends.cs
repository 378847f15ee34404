using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>How calls end. Exactly one end goes to the client for each stream, whichever side it comes from.</summary>
internal sealed partial class ClientConnection
{
    private const int MaxSpareCalls = 64;

    /// <summary>A CloneSession response is some hundred bytes; one that is not is passed on unread.</summary>
    private const int MaxCloneResponse = 16 * 1024;

    /// <summary>Headers or trailers of a driver's response; they pass verbatim.</summary>
    public void ResponseHeaders(RelayedCall call, ReadOnlySpan<byte> block, bool endStream, int grpcStatus)
    {
        if (endStream)
        {
            call.DriverEnded = true;
            call.GrpcStatus = grpcStatus;
            call.EndedBy = CallSide.Driver;
        }

        if (call.ClientSideEnded)
        {
            FinishIfOver(call);
            return;
        }

        var isFirst = !call.ResponseStarted;
        call.ResponseStarted = true;
        if (endStream && grpcStatus == 0)
        {
            if (call.Rpc == SparkRpc.ReleaseSession && !call.AllowsReconnect) Effects.Released(call.Binding!, call.Headers.UserAgent);
            if (call.HoldsResponse && CloneOf(call) is { } newId)
            {
                call.DownTrailers = block.ToArray();
                Effects.BindClone(call, call.Binding!, newId);
                return;
            }
        }

        if (endStream) call.HoldsResponse = false;
        if (endStream && !call.Down.IsEmpty)
        {
            call.DownTrailers = block.ToArray();
            QueueDown(call);
            return;
        }

        Output.WriteHeaders(call.ClientStream, block, isFirst ? Announcement(call) : default, endStream, PeerMaxFrame);
        if (!endStream) return;
        call.ClientSideEnded = true;
        FinishIfOver(call);
    }

    /// <summary>The answer to IRelayEffects.BindClone: the client may hear of its new session now.</summary>
    public void CloneBound(RelayedCall call, GatewayError? error)
    {
        if (call.State == CallState.Done || !call.HoldsResponse) return;
        call.HoldsResponse = false;
        if (error is not null)
        {
            DropDown(call);
            call.DownTrailers = null;
            Answer(call, error);
            return;
        }

        if (Flow.PumpDown(this, call)) QueueDown(call);
    }

    /// <summary>The driver ended its stream with data.</summary>
    public void DriverStreamEnded(RelayedCall call)
    {
        call.DriverEnded = true;
        call.EndedBy = CallSide.Driver;
        FinishIfOver(call);
    }

    /// <summary>The driver reset its stream: the client gets the same, behind what came before.</summary>
    public void DriverReset(RelayedCall call, Http2Error code)
    {
        call.Driver!.Forget(call);
        call.EndedBy = CallSide.Driver;
        call.HoldsResponse = false;
        if (call.Down.IsEmpty && call.DownTrailers is null) ResetClient(call, code);
        else
        {
            call.DownReset = code;
            QueueDown(call);
        }
    }

    /// <summary>A driver connection is gone. Its calls end so that clients wait and reattach, unless the session itself has ended.</summary>
    public void DriverLost(DriverConnection driver, string why)
    {
        drivers.Remove(driver);
        EndCalls([.. driver.Calls, .. driver.Waiting], driver.Route.ClosedBy ?? GatewayError.Unavailable(Blame.Driver,
            $"The connection to the driver of session {driver.Route.Session.Name} failed ({why})."));
    }

    /// <summary>A driver that is going away did not take these calls.</summary>
    public void DriverRefused(DriverConnection driver, IReadOnlyCollection<RelayedCall> refused) =>
        EndCalls(refused, driver.Route.ClosedBy ?? GatewayError.Unavailable(Blame.Driver, $"The driver of session {driver.Route.Session.Name} is closing its connection."));

    /// <summary>Calls that waited for a place on a connection which takes no more were never sent: they go to a new one, in their order.</summary>
    public void MoveWaiting(DriverConnection from)
    {
        foreach (var call in from.TakeWaiting())
        {
            var driver = DriverOf(from.Route);
            from.Account.MoveTo(driver.Account, call.Up.Length);
            call.InUpRing = false;
            driver.Admit(call);
        }
    }

    /// <summary>The session has ended: its calls are told why.</summary>
    public void RouteClosed(Route route)
    {
        foreach (var driver in drivers.Where(d => ReferenceEquals(d.Route, route)).ToArray())
        {
            EndCalls([.. driver.Calls, .. driver.Waiting], route.ClosedBy!);
            Drop(driver);
        }
    }

    /// <summary>Ends a call with an error of our own, as trailers; what the client still sends is dropped.</summary>
    public void Answer(RelayedCall call, GatewayError error)
    {
        if (call.State == CallState.Done || call.ClientSideEnded) return;
        LeaveDriver(call, Http2Error.Cancel);
        call.Error = error;
        call.EndedBy = CallSide.Gateway;
        call.GrpcStatus = (int)error.Code.ToGrpcStatus();
        call.HoldsResponse = false;
        EndLocally(call, error);
    }

    /// <summary>Sends what waited behind the held data of a response, now that it is gone.</summary>
    public void SendHeldEnd(RelayedCall call)
    {
        if (!call.ClientSideEnded)
        {
            if (call.DownTrailers is { } trailers)
            {
                Output.WriteHeaders(call.ClientStream, trailers, default, true, PeerMaxFrame);
                call.ClientSideEnded = true;
                call.DownTrailers = null;
            }
            else if (call.DownEnds)
            {
                SendData(call, default, true, Flow.NoSink.Instance);
            }
            else if (call.DownReset is null)
            {
                return;
            }
        }

        if (call.DownReset is { } code) ResetClient(call, code);
        else FinishIfOver(call);
    }

    private void AnswerOk(RelayedCall call, string clientSessionId)
    {
        LeaveDriver(call, Http2Error.Cancel);
        AnswerWith(call, LocalReply.SessionEcho(clientSessionId));
        EndLocally(call, null);
    }

    private void AnswerHealth(RelayedCall call, HealthRpc rpc)
    {
        SetState(call, CallState.Answered);
        AnswerWith(call, LocalReply.Health(isServing: !isShuttingDown));
        if (rpc == HealthRpc.Check) EndLocally(call, null);
    }

    private void AnswerWith(RelayedCall call, byte[] message)
    {
        call.EndedBy = CallSide.Gateway;
        call.GrpcStatus = 0;
        if (!call.ResponseStarted)
        {
            LocalReply.Headers(HeadScratch);
            Output.WriteHeaders(call.ClientStream, HeadScratch.Written, default, false, PeerMaxFrame);
            call.ResponseStarted = true;
        }

        Flow.Down(this, call, message, false, Flow.NoSink.Instance);
    }

    private void EndLocally(RelayedCall call, GatewayError? error)
    {
        LocalReply.Trailers(HeadScratch, error, isTrailersOnly: !call.ResponseStarted);
        call.ResponseStarted = true;
        call.DownEnds = false;
        call.DownReset = null;
        if (!call.Down.IsEmpty)
        {
            call.DownTrailers = HeadScratch.Written.ToArray();
            QueueDown(call);
            return;
        }

        Output.WriteHeaders(call.ClientStream, HeadScratch.Written, default, true, PeerMaxFrame);
        call.ClientSideEnded = true;
        FinishIfOver(call);
    }

    private void EndCalls(IReadOnlyCollection<RelayedCall> ended, GatewayError error)
    {
        foreach (var call in ended.OrderBy(c => c.ClientStream).ToArray())
        {
            // Its client waits for nothing but the word that the session is gone: it is.
            if (error.Code is ErrorCode.SessionChanged or ErrorCode.SessionClosed && call.Rpc is SparkRpc.ReleaseExecute or SparkRpc.ReleaseSession && !call.ResponseStarted)
                AnswerOk(call, call.Binding!.Key.ClientSessionId);
            else if (call.ClientSideEnded)
            {
                LeaveDriver(call, Http2Error.Cancel);
                FinishIfOver(call);
            }
            else Answer(call, error.Code == ErrorCode.SessionChanged && call.Binding is { IsReleased: true } own ? EndTexts.Released(own.Route.Session) : error);
        }
    }

    /// <summary>The client has cancelled the call, or is gone.</summary>
    private void CancelByClient(RelayedCall call)
    {
        if (call.State == CallState.Done) return;
        call.ClientEnded = call.ClientSideEnded = true;
        DropDown(call);
        LeaveDriver(call, Http2Error.Cancel);
        FinishIfOver(call);
    }

    private void ResetClient(RelayedCall call, Http2Error code)
    {
        WriteReset(call.ClientStream, code);
        CancelByClient(call);
    }

    /// <summary>Takes the call out of where it is: off its driver, or out of the waiting room.</summary>
    private void LeaveDriver(RelayedCall call, Http2Error code)
    {
        if (call.IsOnDriver)
        {
            call.Driver!.Abandon(call, code);
        }
        else if (!call.Up.IsEmpty)
        {
            Parked.Remove(call.Up.Length);
            call.Up.Clear();
        }

        var wasParked = call.State == CallState.Parked;
        if (call.State != CallState.Done) SetState(call, CallState.Answered);
        if (wasParked) LeaveGroup(call);
    }

    private void LeaveGroup(RelayedCall call)
    {
        foreach (var group in parked.Values)
        {
            var index = group.Calls.FindIndex(c => ReferenceEquals(c.Call, call));
            if (index < 0) continue;
            group.Calls.RemoveAt(index);
            if (index > 0 || group.Deciding is null) return;
            Effects.CancelAdmission(group);
            group.Deciding = null;
            if (group.Calls.Count == 0) parked.Remove(group.Key);
            else Submit(group);
            return;
        }
    }

    private static void DropDown(RelayedCall call)
    {
        call.Driver?.Book.Taken(call.Down.Length);
        call.Down.Clear();
        call.DownTrailers = null;
        call.DownReset = null;
    }

    /// <summary>A stream is over when both its sides are: then nothing is kept of it.</summary>
    public void FinishIfOver(RelayedCall call)
    {
        if (call.State == CallState.Done || !call.ClientSideEnded || !call.ClientEnded) return;

        // The answer is complete, but the rest of the request is still owed to the driver.
        if (call is { State: CallState.Forwarding, IsOnDriver: true, DriverEnded: true, Up.IsEmpty: false }) return;
        if (call.IsOnDriver)
        {
            if (call.DriverEnded && call.DriverSideEnded && call.Up.IsEmpty) call.Driver!.Forget(call);
            else call.Driver!.Abandon(call, Http2Error.Cancel);
        }

        SetState(call, CallState.Done);
        calls.Remove(call.ClientStream);
        if (ReferenceEquals(dataCall, call)) dataCall = null;
        call.Binding?.Route.CallEnded(isBroken: call.EndedBy != CallSide.Driver);
        Effects.CallEnded(new CallOutcome(call.Rpc, call.Binding, call.EndedBy, call.GrpcStatus, call.Error, Now - call.StartedAt, call.Span));
        call.Span = null;
        if (spare.Count < MaxSpareCalls && call.CanBeReused && call.Rpc != SparkRpc.CloneSession) spare.Push(call);
        FinishIfDrained();
    }

    private void Drop(DriverConnection driver)
    {
        drivers.Remove(driver);
        driver.Close();
    }

    /// <summary>The first response of a new binding tells humans and tools which session it is.</summary>
    private ReadOnlySpan<byte> Announcement(RelayedCall call)
    {
        if (call.Binding is null || !call.Binding.TakeAnnouncement()) return default;
        HeadScratch.Reset();
        HeadScratch.Append(shared.Names.SessionName, call.Binding.Route.NameUtf8.Span);
        HeadScratch.Append(shared.Names.Namespace, call.Binding.Route.NamespaceUtf8.Span);
        return HeadScratch.Written;
    }

    /// <summary>CloneSessionResponse.new_session_id (3); null: this is no such response.</summary>
    private string? CloneOf(RelayedCall call)
    {
        if (call.Down.Length is <= FirstMessage.PrefixBytes or > MaxCloneResponse) return null;
        Span<byte> response = new byte[call.Down.Length];
        call.Down.CopyTo(response);
        var body = response[FirstMessage.PrefixBytes..];
        if (response[0] == 1) body = shared.Inflater.Inflate(body, MaxCloneResponse, out _);
        var id = RequestDetails.StringField(body, 3);
        return id.IsEmpty ? null : System.Text.Encoding.UTF8.GetString(id);
    }
}
