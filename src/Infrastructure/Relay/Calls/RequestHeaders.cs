using System.Buffers;
using System.Buffers.Text;
using System.Text;
using SparkGateway.Domain.Routing;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Takes one request's decoded headers apart: what goes to the driver, what is the gateway's, and which RPC it is.
/// One for each client connection, used again for each call.
/// </summary>
/// <param name="namesUsers">The peer is trusted to name the user; the header of another is dropped.</param>
/// <param name="keepsCredential">The client's credential is not for the gateway, so a driver may want it.</param>
/// <param name="readsTrace">Calls may have spans: where theirs come from matters.</param>
internal sealed class RequestHeaders(HeaderNames names, bool namesUsers, bool keepsCredential, bool readsTrace = false) : IHeaderSink, IDisposable
{
    /// <summary>Different sets of headers of one connection that are told apart without reading them again: a few clients behind one proxy.</summary>
    private const int MaxKnown = 8;

    private readonly byte[] trace = readsTrace ? new byte[ICallTracer.TraceparentBytes] : [];
    private ArrayBufferWriter<byte> own = new();
    private (byte[] Said, GatewayHeaders Headers)[] known = [];
    private bool sawRegular;
    private PseudoFields seen;
    private bool hasTrace;
    private int knownCount;
    private int latest;

    /// <summary>The headers for the driver, re-encoded without table state; :authority and the driver's token are added later.</summary>
    public HeaderBlockWriter Kept { get; } = new();

    public SparkRpc Rpc { get; private set; }

    /// <summary>The path is of the service; unknown methods of it are relayed like known ones.</summary>
    public bool IsSparkService { get; private set; }

    public HealthRpc Health { get; private set; }

    public bool IsMalformed { get; private set; }

    /// <summary>Each of :method, :scheme and :path is there.</summary>
    public bool IsComplete => (seen & PseudoFields.Demanded) == PseudoFields.Demanded;

    /// <summary>Trailers must have none.</summary>
    public bool HasPseudoFields => seen != PseudoFields.None;

    /// <summary>What content-length promises; -1: nothing.</summary>
    public long ContentLength { get; private set; }

    public bool IsGrpc { get; private set; }

    /// <summary>Empty: there is none, or nobody reads it.</summary>
    public ReadOnlySpan<byte> Traceparent => hasTrace ? trace : default;

    /// <summary>For an idle connection.</summary>
    public void Trim() => own = new ArrayBufferWriter<byte>();

    public void Begin()
    {
        Kept.Reset();
        own.ResetWrittenCount();
        sawRegular = hasTrace = false;
        seen = PseudoFields.None;
        ContentLength = -1;
        Rpc = SparkRpc.Other;
        Health = HealthRpc.None;
        IsSparkService = IsMalformed = IsGrpc = false;
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        if (!FieldRules.IsValid(name, value)) IsMalformed = true;
        else if (FieldRules.IsPseudo(name)) Pseudo(name, value, isNeverIndexed);
        else Regular(name, value, isNeverIndexed);
    }

    /// <summary>What this request said to the gateway: the same object as before, if it said the same.</summary>
    public GatewayHeaders Own()
    {
        if (knownCount > 0 && own.WrittenSpan.SequenceEqual(known[latest].Said)) return known[latest].Headers;
        for (var n = 0; n < Math.Min(knownCount, MaxKnown); n++)
        {
            if (!own.WrittenSpan.SequenceEqual(known[n].Said)) continue;
            latest = n;
            return known[n].Headers;
        }

        var said = own.WrittenSpan.ToArray();
        latest = knownCount % MaxKnown;
        knownCount = knownCount + 1 < 2 * MaxKnown ? knownCount + 1 : MaxKnown;
        if (latest == known.Length) Array.Resize(ref known, Math.Clamp(2 * known.Length, 1, MaxKnown));
        known[latest] = (said, Read(said));
        return known[latest].Headers;
    }

    public void Dispose() => Kept.Dispose();

    private void Pseudo(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        var field = name.SequenceEqual(":path"u8) ? PseudoFields.Path
            : name.SequenceEqual(":method"u8) ? PseudoFields.Method
            : name.SequenceEqual(":scheme"u8) ? PseudoFields.Scheme
            : name.SequenceEqual(":authority"u8) ? PseudoFields.Authority : PseudoFields.None;
        if (sawRegular || field == PseudoFields.None || (seen & field) != 0) IsMalformed = true;
        seen |= field;
        if (field == PseudoFields.Authority)
        {
            Keep('a', value);
            return;
        }

        if (field == PseudoFields.Path)
        {
            ReadPath(value);
            if (value.IsEmpty) IsMalformed = true;
        }

        // The driver's side is always plain HTTP/2, whatever the client's is.
        Kept.Append(name, field == PseudoFields.Scheme ? "http"u8 : value, isNeverIndexed);
    }

    private void Regular(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        sawRegular = true;
        var kind = names.Kind(name);
        if (kind != GatewayHeader.None)
        {
            if (kind != GatewayHeader.Identity || namesUsers) Keep((char)('0' + (int)kind), value);
            return;
        }

        // Clients spell it both ways; the second is an old fault of the JVM client.
        if (name.SequenceEqual("authorization"u8) || name.SequenceEqual("authentication"u8))
        {
            Keep('c', value);
            return;
        }

        // Checked here; towards the driver messages may grow, and the end of the stream says the same.
        if (name.SequenceEqual("content-length"u8))
        {
            ReadContentLength(value);
            return;
        }

        if (FieldRules.IsOfConnection(name)) IsMalformed = true;
        else if (name.SequenceEqual("te"u8) && !value.SequenceEqual("trailers"u8)) IsMalformed = true;
        else if (name.SequenceEqual("content-type"u8)) IsGrpc = value.StartsWith("application/grpc"u8);
        else if (name.SequenceEqual("user-agent"u8)) Keep('u', value);
        else if (IsFromProxy(name)) Keep('f', default);
        else if (readsTrace && name.SequenceEqual("traceparent"u8)) hasTrace = value.TryCopyTo(trace) && value.Length == trace.Length;
        Kept.Append(name, value, isNeverIndexed);
    }

    private void ReadContentLength(ReadOnlySpan<byte> value)
    {
        var isNumber = Utf8Parser.TryParse(value, out long length, out var used) && used == value.Length && length >= 0;
        if (!isNumber || (ContentLength >= 0 && ContentLength != length)) IsMalformed = true;
        ContentLength = isNumber ? length : -1;
    }

    private static bool IsFromProxy(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("forwarded"u8) || name.SequenceEqual("via"u8) || name.StartsWith("x-forwarded-"u8) || name.StartsWith("x-envoy-"u8);

    private void ReadPath(ReadOnlySpan<byte> path)
    {
        Health = path.SequenceEqual("/grpc.health.v1.Health/Check"u8) ? HealthRpc.Check
            : path.SequenceEqual("/grpc.health.v1.Health/Watch"u8) ? HealthRpc.Watch : HealthRpc.None;
        var service = "/spark.connect.SparkConnectService/"u8;
        IsSparkService = path.Length > service.Length && path.StartsWith(service);
        if (IsSparkService) Rpc = RpcNames.Find(path[service.Length..]);
    }

    private void Keep(char tag, ReadOnlySpan<byte> value)
    {
        // Cut before its length is written, or the rest of a longer value would be read as records of their own.
        value = value[..Math.Min(value.Length, ushort.MaxValue)];
        own.Write([(byte)tag, (byte)(value.Length >> 8), (byte)value.Length]);
        own.Write(value);
    }

    /// <summary>What can be a user_id of a message, and a line of the audit.</summary>
    private static bool IsIdentity(ReadOnlySpan<byte> value) =>
        value.Length is > 0 and <= GatewayHeaders.MostIdentityBytes && value.IndexOfAnyInRange((byte)0, (byte)0x1f) < 0 && !value.Contains((byte)0x7f)
        && System.Text.Unicode.Utf8.IsValid(value);

    private GatewayHeaders Read(ReadOnlySpan<byte> said)
    {
        var hints = RouteHints.None;
        byte[] credential = [];
        byte[]? identity = null;
        var (agent, authority, forwarded) = ("", "", false);
        while (!said.IsEmpty)
        {
            var length = (said[1] << 8) | said[2];
            var value = said.Slice(3, length);
            switch ((char)said[0])
            {
                case '1': hints = hints with { SessionName = HeaderNames.Cut(value) }; break;
                case '2': hints = hints with { Namespace = HeaderNames.Cut(value) }; break;
                case '3': hints = hints with { Team = HeaderNames.Cut(value) }; break;
                case '4': hints = hints with { Environment = HeaderNames.Cut(value) }; break;
                case '5':
                    // Named twice: nobody knows which one the proxy verified.
                    identity = identity is null && IsIdentity(value) ? value.ToArray() : [];
                    forwarded = true;
                    break;
                case 'c': credential = value.ToArray(); break;
                case 'u': agent = Encoding.UTF8.GetString(value[..Math.Min(length, 200)]); break;
                case 'a': authority = HeaderNames.Cut(value); break;
                default: forwarded = true; break;
            }

            said = said[(3 + length)..];
        }

        return new GatewayHeaders
        {
            Hints = hints, Authorization = credential, DriverAuthorization = keepsCredential ? credential : [], IdentityUtf8 = identity ?? [], UserAgent = agent, Authority = authority, IsForwarded = forwarded,
        };
    }
}

[Flags]
internal enum PseudoFields
{
    None = 0,
    Method = 1,
    Scheme = 2,
    Path = 4,
    Authority = 8,
    Demanded = Method | Scheme | Path,
}

internal enum HealthRpc
{
    None,
    Check,
    Watch,
}

internal static class RpcNames
{
    private static readonly (byte[] Name, SparkRpc Rpc)[] Known =
        [.. Enum.GetValues<SparkRpc>().Where(rpc => rpc != SparkRpc.Other).Select(rpc => (Encoding.ASCII.GetBytes(rpc.ToString()), rpc))];

    public static SparkRpc Find(ReadOnlySpan<byte> method)
    {
        foreach (var (name, rpc) in Known)
        {
            if (method.SequenceEqual(name)) return rpc;
        }

        return SparkRpc.Other;
    }
}
