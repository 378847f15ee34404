using SparkGateway.Domain.Routing;

namespace SparkGateway.Infrastructure.Relay.Calls;

internal enum FirstMessageState
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,
    Found,

    /// <summary>The call cannot be routed; <see cref="FirstMessage.Problem"/> says why.</summary>
    Bad,
}

/// <summary>
/// Who calls, read from the first bytes of a call's first message: session_id is field 1 and user_context field 2 of
/// every request of the service. Nothing behind them is looked at.
/// </summary>
internal ref struct FirstMessage
{
    public const int PrefixBytes = 5;

    /// <summary>A client session id is a UUID of 36 characters; engines that take any text get some room.</summary>
    public const int MaxIdBytes = 256;

    public FirstMessageState State { get; private set; }

    public string? Problem { get; private set; }

    public ReadOnlySpan<byte> SessionId { get; private set; }

    public ReadOnlySpan<byte> UserId { get; private set; }

    /// <summary>Reads the message body (the 5-byte prefix stripped). <paramref name="isWhole"/>: nothing follows of this message.</summary>
    public static FirstMessage Read(ReadOnlySpan<byte> body, bool isWhole)
    {
        var found = new FirstMessage();
        var reader = new ProtoReader(body);
        var hasSession = false;
        var hasUser = false;
        while (!(hasSession && hasUser))
        {
            if (reader.IsAtEnd && isWhole) break;
            var read = reader.ReadTag(out var field, out var wireType);
            if (read != ProtoRead.Ok) return found.Stop(read, isWhole);

            // Writers put fields in number order: behind field 2 there is no user_context to wait for.
            if (hasSession && field > 2) break;
            if (field is 1 or 2 && wireType == ProtoReader.LengthDelimited)
            {
                read = reader.ReadBytes(out var content, out var length);

                // A long context (call stacks in its extensions) need not be whole: the user comes first in it.
                if (read == ProtoRead.Truncated && field == 2 && found.ReadUser(reader.Rest) && !found.UserId.IsEmpty)
                {
                    hasUser = true;
                    break;
                }

                if (length > MaxIdBytes && field == 1) return found.Refuse($"session_id (field 1) has {length} bytes; at most {MaxIdBytes} are allowed.");
                if (read != ProtoRead.Ok) return found.Stop(read, isWhole);
                if (field == 1)
                {
                    found.SessionId = content;
                    hasSession = true;
                }
                else
                {
                    if (!content.IsEmpty && !found.ReadUser(content)) return found.Refuse("user_context (field 2) is no valid protobuf message.");
                    hasUser = true;
                }
            }
            else
            {
                read = reader.Skip(wireType);
                if (read != ProtoRead.Ok) return found.Stop(read, isWhole);
            }
        }

        if (!hasSession && hasUser && !isWhole) return found.Stop(ProtoRead.Truncated, isWhole);
        if (!hasSession || found.SessionId.IsEmpty) return found.Refuse("The request has no session_id (field 1).");
        found.State = FirstMessageState.Found;
        return found;
    }

    private bool ReadUser(ReadOnlySpan<byte> context)
    {
        var reader = new ProtoReader(context);
        while (!reader.IsAtEnd)
        {
            if (reader.ReadTag(out var field, out var wireType) != ProtoRead.Ok) return false;
            if (field == 1 && wireType == ProtoReader.LengthDelimited)
            {
                if (reader.ReadBytes(out var user, out _) != ProtoRead.Ok || user.Length > MaxIdBytes) return false;
                UserId = user;
            }
            else if (reader.Skip(wireType) != ProtoRead.Ok)
            {
                return !UserId.IsEmpty;
            }
        }

        return true;
    }

    private FirstMessage Stop(ProtoRead read, bool isWhole)
    {
        if (read == ProtoRead.Truncated && !isWhole)
        {
            State = FirstMessageState.Incomplete;
            return this;
        }

        return Refuse("The request is no valid protobuf message.");
    }

    private FirstMessage Refuse(string problem)
    {
        State = FirstMessageState.Bad;
        Problem = problem;
        return this;
    }
}

/// <summary>What routing reads of a few requests beyond the first two fields.</summary>
internal static class RequestDetails
{
    private const int ClientTypeOfConfig = 4;

    /// <summary>ReleaseSessionRequest.allow_reconnect (4): such a release ends nothing.</summary>
    public static bool AllowsReconnect(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (!reader.IsAtEnd && reader.ReadTag(out var field, out var wireType) == ProtoRead.Ok)
        {
            if (field == 4 && wireType == ProtoReader.Varint) return reader.ReadVarint(out var value) == ProtoRead.Ok && value != 0;
            if (reader.Skip(wireType) != ProtoRead.Ok) break;
        }

        return false;
    }

    /// <summary>A string field of a message, or empty.</summary>
    public static ReadOnlySpan<byte> StringField(ReadOnlySpan<byte> body, int wanted)
    {
        var reader = new ProtoReader(body);
        while (!reader.IsAtEnd && reader.ReadTag(out var field, out var wireType) == ProtoRead.Ok)
        {
            if (field == wanted && wireType == ProtoReader.LengthDelimited)
                return reader.ReadBytes(out var content, out _) == ProtoRead.Ok ? content : default;
            if (reader.Skip(wireType) != ProtoRead.Ok) break;
        }

        return default;
    }

    /// <summary>
    /// The routing pairs of a ConfigRequest: operation (3) set (1) pairs (1) of key (1) and value (2). The call may be
    /// absorbed if it sets nothing else, but for spark.remote, and comes from a client of 3.5.
    /// </summary>
    public static RouteHints ConfigHints(ReadOnlySpan<byte> body, HeaderNames names, out bool isAbsorbable)
    {
        isAbsorbable = false;
        var set = StringField(StringField(body, 3), 1);
        if (set.IsEmpty) return RouteHints.None;
        var hints = RouteHints.None;
        var onlyRouting = true;
        var reader = new ProtoReader(set);
        while (!reader.IsAtEnd && reader.ReadTag(out var field, out var wireType) == ProtoRead.Ok)
        {
            if (field == 1 && wireType == ProtoReader.LengthDelimited && reader.ReadBytes(out var pair, out _) == ProtoRead.Ok)
                onlyRouting &= ReadPair(pair, names, ref hints);
            else if (reader.Skip(wireType) != ProtoRead.Ok) break;
        }

        isAbsorbable = onlyRouting && StringField(body, ClientTypeOfConfig).IndexOf("spark/3.5."u8) >= 0;
        return hints;
    }

    private static bool ReadPair(ReadOnlySpan<byte> pair, HeaderNames names, ref RouteHints hints)
    {
        var key = StringField(pair, 1);
        if (key.SequenceEqual("spark.remote"u8)) return true;
        if (!key.StartsWith(names.ConfigPrefix)) return false;
        var value = HeaderNames.Cut(StringField(pair, 2));
        hints = names.Kind(key[names.ConfigPrefix.Length..]) switch
        {
            GatewayHeader.SessionName => hints with { SessionName = value },
            GatewayHeader.Namespace => hints with { Namespace = value },
            GatewayHeader.Team => hints with { Team = value },
            GatewayHeader.Environment => hints with { Environment = value },
            _ => hints,
        };
        return true;
    }
}
