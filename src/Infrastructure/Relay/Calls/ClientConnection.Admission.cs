using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>From a call's first bytes to the driver it belongs to: at once where the client session is bound, else by a decision that is waited for.</summary>
internal sealed partial class ClientConnection
{
    /// <summary>Client sessions of one connection whose routing pairs are remembered until their first real call.</summary>
    private const int MaxAbsorbed = 64;

    private Dictionary<ClientSessionKey, ParkedGroup> parked = [];
    private readonly Dictionary<ClientSessionKey, RouteHints> absorbed = [];
    private byte[] firstUser = [];
    private bool sawUser;
    private LiveBinding? lastJoined;
    private GatewayHeaders? firstHeaders;

    private enum Routed
    {
        Incomplete,
        Decided,
    }

    /// <summary>The answer to IRelayEffects.Admit.</summary>
    public void Admitted(ParkedGroup group, Result<Admission> answer)
    {
        if (!parked.TryGetValue(group.Key, out var current) || !ReferenceEquals(current, group) || group.Calls.Count == 0) return;
        group.Deciding = null;
        var first = group.Calls[0];
        if (!answer.TryGet(out var admission, out var error))
        {
            // The same refusal holds for the calls that came with the same headers; a release of nothing is no failure.
            foreach (var parkedCall in group.Calls.Where(c => ReferenceEquals(c, first) || SharesRefusal(c, first)).ToArray()) Answer(parkedCall.Call, error);
        }
        else if (admission is Admission.Forward forward)
        {
            foreach (var parkedCall in group.Calls.Where(c => c.Call.Headers.AgreesWith(forward.Binding.Route)).ToArray())
            {
                group.Calls.Remove(parkedCall);
                Forward(parkedCall.Call, forward.Binding);
            }
        }
        else
        {
            if (admission is Admission.Absorb absorb) Remember(group.Key, absorb.Hints);
            group.Calls.Remove(first);
            AnswerOk(first.Call, group.Key.ClientSessionId);
        }

        if (group.Calls.Count == 0) parked.Remove(group.Key);
        else if (group.Deciding is null) Submit(group);
    }

    private static bool SharesRefusal(ParkedCall call, ParkedCall first) =>
        ReferenceEquals(call.Call.Headers, first.Call.Headers) && !call.IsAbsorbable
        && call.Call.Rpc is not (SparkRpc.ReleaseExecute or SparkRpc.ReleaseSession);

    private void BeginCall(RelayedCall call, bool isTooLarge)
    {
        if (isTooLarge)
        {
            Answer(call, new GatewayError(ErrorCode.ResourceExhausted, Blame.Client,
                $"The request's headers are too large: at most {Limits.MaxHeaderList} bytes in {Limits.MaxHeaderFields} fields are taken."));
        }
        else if (request.Health != HealthRpc.None)
        {
            AnswerHealth(call, request.Health);
        }
        else if (!request.IsSparkService)
        {
            Answer(call, new GatewayError(ErrorCode.Unimplemented, Blame.Client, "This gateway serves spark.connect.SparkConnectService and grpc.health.v1.Health only."));
        }
        else if (!request.IsGrpc)
        {
            Answer(call, GatewayError.Invalid("The content-type must be application/grpc."));
        }
        else if (shared.Access?.Refuses(call.Headers) is { } refusal)
        {
            Deny(call, refusal);
        }
        else if (call.ClientEnded)
        {
            Answer(call, GatewayError.Invalid("The request has no message."));
        }
    }

    private void ReadFirstMessage(RelayedCall call, ReadOnlySpan<byte> bytes)
    {
        byte[]? rented = null;
        var isBuffered = !call.Up.IsEmpty;
        if (isBuffered)
        {
            if (!Park(call, bytes)) return;
            bytes = call.PeekUp(FirstMessage.PrefixBytes + Limits.MaxRoutingBytes, out rented);
        }

        var routed = ReadFirstMessage(call, bytes, isBuffered);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        if (routed == Routed.Decided) return;
        if (!isBuffered && !Park(call, bytes)) return;
        if (call.ClientEnded) Answer(call, GatewayError.Invalid("The request ends in the middle of its message."));
        else if (call.Up.Length >= Limits.MaxRoutingBytes) Answer(call, GatewayError.Invalid($"The first {Limits.MaxRoutingBytes} bytes of the request do not tell its session_id (field 1)."));
    }

    private Routed ReadFirstMessage(RelayedCall call, ReadOnlySpan<byte> bytes, bool isBuffered)
    {
        if (bytes.Length < FirstMessage.PrefixBytes) return Routed.Incomplete;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        var body = bytes[FirstMessage.PrefixBytes..];
        if (body.Length > length) body = body[..(int)length];
        var isWhole = body.Length == length;
        if (EnforcesIdentity && MessageEditor.RefusesFlag(bytes[0]) is { } refusal)
        {
            if (!isBuffered) Book.Taken(bytes.Length);
            Deny(call, refusal);
            return Routed.Decided;
        }

        if (bytes[0] == 1)
        {
            if (!isWhole && body.Length < Limits.MaxRoutingBytes) return Routed.Incomplete;
            body = shared.Inflater.Inflate(body, Limits.MaxRoutingBytes, out var inflatedAll);
            isWhole &= inflatedAll;
        }
        else if (!isWhole && call.Rpc is SparkRpc.Config or SparkRpc.ReleaseSession && length <= Limits.MaxRoutingBytes)
        {
            return Routed.Incomplete;
        }

        var message = FirstMessage.Read(body, isWhole);
        switch (message.State)
        {
            case FirstMessageState.Incomplete:
                return Routed.Incomplete;
            case FirstMessageState.Bad:
                if (!isBuffered) Book.Taken(bytes.Length);
                Answer(call, GatewayError.Invalid(message.Problem!));
                return Routed.Decided;
            default:
                Route(call, message, body, bytes, isBuffered);
                return Routed.Decided;
        }
    }

    private void Route(RelayedCall call, FirstMessage message, ReadOnlySpan<byte> body, ReadOnlySpan<byte> bytes, bool isBuffered)
    {
        var user = EnforcesIdentity ? call.Headers.IdentityUtf8 : message.UserId;
        Observe(user, call.Headers);
        if (call.Rpc == SparkRpc.ReleaseSession) call.AllowsReconnect = RequestDetails.AllowsReconnect(body);
        var binding = shared.Routes.Find(user, message.SessionId);
        if (binding is not null && binding.Route.ClosedBy is null && call.Headers.AgreesWith(binding.Route) && (parked.Count == 0 || !parked.ContainsKey(binding.Key)))
        {
            if (call.Rpc == SparkRpc.Config && !GatewayHeaders.Agree(RequestDetails.ConfigHints(body, shared.Names, out _), binding.Route.Session))
            {
                // Set in the client's configuration behind its first call, or one pair a call: it would be ignored silently.
                if (!isBuffered) Book.Taken(bytes.Length);
                Answer(call, GatewayError.Invalid($"The configuration names another session, namespace, team or environment than {binding.Route.Session.Name}, to which this client session is bound; it stays there. Use a new client session (stop(), then getOrCreate()) to go elsewhere."));
                return;
            }

            Joined(binding, call);
            Forward(call, binding, isBuffered ? default : bytes);
            return;
        }

        var key = binding?.Key ?? new ClientSessionKey(Encoding.UTF8.GetString(user), Encoding.UTF8.GetString(message.SessionId));
        var hints = RouteHints.None;
        var isAbsorbable = false;
        if (call.Rpc == SparkRpc.Config) hints = RequestDetails.ConfigHints(body, shared.Names, out isAbsorbable);
        if (!isBuffered && !Park(call, bytes)) return;
        SetState(call, CallState.Parked);
        if (!parked.TryGetValue(key, out var group)) parked.Add(key, group = new ParkedGroup(key));
        group.Calls.Add(new ParkedCall(call, hints, isAbsorbable));
        if (group.Calls.Count == 1) Submit(group);
    }

    private void Submit(ParkedGroup group)
    {
        var first = group.Calls[0];
        var remembered = absorbed.GetValueOrDefault(group.Key, RouteHints.None);
        Effects.Admit(group, new RouteRequest
        {
            Key = group.Key,
            Rpc = first.Call.Rpc,
            Headers = first.Call.Headers.Hints,
            Config = Merge(remembered, first.Config),
            IsAbsorbableConfig = first.IsAbsorbable,
            Authority = first.Call.Headers.Authority,
            Caller = new Caller(first.Call.Headers.Identity ?? group.Key.UserId, clientAddress, first.Call.Headers.UserAgent),
        });
    }

    /// <summary>All of them at once: a call that leaves by itself would have the next one decided.</summary>
    private void EndAdmissions()
    {
        foreach (var group in parked.Values) Effects.CancelAdmission(group);
        parked.Clear();
    }

    private static RouteHints Merge(RouteHints earlier, RouteHints later) => new(
        later.SessionName ?? earlier.SessionName, later.Namespace ?? earlier.Namespace, later.Team ?? earlier.Team, later.Environment ?? earlier.Environment);

    private void Remember(ClientSessionKey key, RouteHints hints)
    {
        if (absorbed.Count >= MaxAbsorbed) absorbed.Clear();
        absorbed[key] = hints;
    }

    /// <summary>Data that nobody can take yet: credited to the client now, counted against the caps. False: above a cap, and answered.</summary>
    private bool Park(RelayedCall call, ReadOnlySpan<byte> bytes)
    {
        Book.Taken(bytes.Length);
        if (Parked.TryAdd(bytes.Length))
        {
            call.Up.Append(bytes);
            return true;
        }

        Answer(call, new GatewayError(ErrorCode.ResourceExhausted, Blame.Gateway,
            "Too much request data is waiting for drivers that are still starting. Wait until the session is ready, then send it again."));
        return false;
    }

    /// <param name="bytes">The request's first data, where it is not in the call's queue.</param>
    private void Forward(RelayedCall call, LiveBinding binding, ReadOnlySpan<byte> bytes = default)
    {
        SetState(call, CallState.Forwarding);
        absorbed.Remove(binding.Key);
        call.Binding = binding;
        binding.Route.CallOpened();
        call.HoldsResponse = call.Rpc == SparkRpc.CloneSession;
        if (EnforcesIdentity)
        {
            call.EditWith(TailOf(binding));
            if (!EditParked(call)) return;
        }

        var driver = DriverOf(binding.Route);
        if (call.Up.IsEmpty)
        {
            driver.Admit(call);
            if (call.IsOnDriver) SendUp(call, bytes, call.ClientEnded);
            else Book.Taken(bytes.Length);
            return;
        }

        driver.Account.HoldParked(call.Up.Length);
        call.DriverSideEnded = call.ClientEnded;
        driver.Admit(call);
    }

    private DriverConnection DriverOf(Route route)
    {
        foreach (var driver in drivers)
        {
            if (ReferenceEquals(driver.Route, route) && !driver.IsDraining && !driver.IsGone) return driver;
        }

        var added = new DriverConnection(this, route);
        drivers.Add(added);
        Effects.Connect(added);
        return added;
    }

    /// <summary>More than one client may be behind this connection: then it says nothing about whose a new session is.</summary>
    private void Observe(ReadOnlySpan<byte> user, GatewayHeaders headers)
    {
        if (Context.MayBeShared) return;
        if (!sawUser)
        {
            sawUser = true;
            firstUser = user.ToArray();
            firstHeaders = headers;
        }

        Context.MayBeShared = headers.IsForwarded || !user.SequenceEqual(firstUser) || (!ReferenceEquals(headers, firstHeaders) && headers.Hints != firstHeaders!.Hints);
    }

    /// <summary>The connection rule goes by the session that this connection carried last.</summary>
    private void Joined(LiveBinding binding, RelayedCall call)
    {
        if (ReferenceEquals(lastJoined, binding)) return;
        lastJoined = binding;
        if (binding.Route.Session.Kind == SessionKind.OnDemand && binding.Key.UserId.Length > 0)
            Context.Last = new JoinedSession(binding.Route.Session.Id, binding.Key.UserId, call.Headers.Hints);
    }

    private void SetState(RelayedCall call, CallState state)
    {
        if (call.State == CallState.AwaitingMessage) awaitingMessages--;
        else if (call.State == CallState.Parked) shared.ParkedTotal.CallLeft();
        if (state == CallState.Parked) shared.ParkedTotal.CallEntered();
        call.State = state;
    }
}
