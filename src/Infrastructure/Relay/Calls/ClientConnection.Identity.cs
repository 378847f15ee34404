using System.Buffers;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Where identity is enforced: every message of a request ends with the session that the call was routed by and the verified user.</summary>
internal sealed partial class ClientConnection
{
    private const int SessionIdField = 1;
    private const int UserContextField = 2;
    private const int UserIdField = 1;
    private const long DenialReportMs = 1000;

    private static readonly GatewayError NoRoom = new(ErrorCode.ResourceExhausted, Blame.Gateway,
        "Too much request data is waiting for drivers. Wait until the session is ready or its driver reads again, then send it again.");

    private LiveBinding? lastTailOf;
    private byte[] lastTail = [];
    private long nextDenialReport;
    private int denials;

    private bool EnforcesIdentity => shared.Access is { EnforcesIdentity: true };

    /// <summary>Request data of a call that is its driver's.</summary>
    private void SendUp(RelayedCall call, ReadOnlySpan<byte> bytes, bool end)
    {
        call.Driver!.Account.Hold(bytes.Length);
        if (call.Editor is { } editor) EditUp(call, editor, bytes, end);
        else Flow.Up(call, bytes, end);
    }

    private void EditUp(RelayedCall call, MessageEditor editor, ReadOnlySpan<byte> bytes, bool end)
    {
        var account = call.Driver!.Account;
        do
        {
            var before = bytes.Length;
            var edited = editor.Next(ref bytes, out var refusal);
            if (end && bytes.IsEmpty) refusal ??= editor.End();
            if (refusal is null && !account.TryChange(edited.Length - (before - bytes.Length))) refusal = NoRoom;
            if (refusal is not null)
            {
                account.Taken(before);
                Deny(call, refusal);
                return;
            }

            if (!edited.IsEmpty || (end && bytes.IsEmpty)) Flow.Up(call, edited, end && bytes.IsEmpty);
        }
        while (!bytes.IsEmpty);
    }

    /// <summary>The data of a call that waited, in its place. False: refused, and answered.</summary>
    private bool EditParked(RelayedCall call)
    {
        var editor = call.Editor!;
        GatewayError? refusal = null;
        for (var raw = call.Up.Length; raw > 0 && refusal is null;)
        {
            var bytes = call.Up.Peek(raw);
            var before = bytes.Length;
            var edited = editor.Next(ref bytes, out refusal);
            var used = before - bytes.Length;
            if (refusal is null && !Parked.TryChange(edited.Length - used)) refusal = NoRoom;
            if (refusal is not null) break;
            call.Up.Append(edited);
            call.Up.Consume(used);
            raw -= used;
        }

        // Its first data need not be parked: then what has ended is looked at as it is sent.
        if (call.ClientEnded && !call.Up.IsEmpty) refusal ??= editor.End();
        if (refusal is null) return true;
        Deny(call, refusal);
        return false;
    }

    /// <summary>The fields that each message of this client session ends with.</summary>
    private byte[] TailOf(LiveBinding binding)
    {
        if (ReferenceEquals(lastTailOf, binding)) return lastTail;
        var user = new ArrayBufferWriter<byte>(64);
        ProtoWriter.StringField(user, UserIdField, binding.Key.UserId);
        var tail = new ArrayBufferWriter<byte>(128);
        ProtoWriter.StringField(tail, SessionIdField, binding.Key.ClientSessionId);
        ProtoWriter.BytesField(tail, UserContextField, user.WrittenSpan);
        lastTailOf = binding;
        return lastTail = tail.WrittenSpan.ToArray();
    }

    /// <summary>An answer that the audit hears of: at once, then for all calls of a second together, so that a flood of them costs little.</summary>
    private void Deny(RelayedCall call, GatewayError error)
    {
        if (call.ClientSideEnded)
        {
            // The response is complete, so nobody can be told; the driver must not wait for the rest.
            LeaveDriver(call, Http2.Http2Error.Cancel);
            FinishIfOver(call);
        }
        else
        {
            Answer(call, error);
        }

        denials++;
        if (Now < nextDenialReport) return;
        nextDenialReport = Now + DenialReportMs;
        Effects.Denied(error, denials, new Caller(call.Headers.Identity ?? "", clientAddress, call.Headers.UserAgent));
        denials = 0;
    }
}
