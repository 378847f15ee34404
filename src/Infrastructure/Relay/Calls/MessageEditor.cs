using System.Buffers.Binary;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Appends the same fields to each message of a request: of two fields the last counts, so what the client says in front of
/// them need not be found. Bytes in, spans out; the middle of a message passes as it is, its prefix and its end are copied
/// together with their neighbours, so that no frame is sent for them alone.
/// </summary>
internal sealed class MessageEditor
{
    /// <summary>More than a frame of a client, so that most parts with ends of messages come out in one piece; far more than what is appended.</summary>
    private const int ScratchBytes = 24 * 1024;

    private static readonly GatewayError Compressed = new(ErrorCode.Unimplemented, Blame.Client,
        "The request is gRPC-compressed, which this gateway does not take: it verifies the user of each message. Switch the compression of requests off in the client.");

    private static readonly GatewayError BadFlag = GatewayError.Invalid("The first byte of a message is neither 0 nor 1, so this is no gRPC.");

    private static readonly GatewayError Cut = GatewayError.Invalid("The request ends in the middle of a message.");

    [ThreadStatic]
    private static byte[]? scratch;

    private readonly byte[] prefix = new byte[FirstMessage.PrefixBytes];
    private ReadOnlyMemory<byte> tail;
    private FieldWalk walk;
    private int prefixRead;

    public void Begin(ReadOnlyMemory<byte> appended)
    {
        tail = appended;
        prefixRead = 0;
    }

    /// <summary>Why a message with this flag before it cannot be edited; null: it can.</summary>
    public static GatewayError? RefusesFlag(byte flag) => flag switch
    {
        0 => null,
        1 => Compressed,
        _ => BadFlag,
    };

    /// <summary>
    /// What is to be sent in the place of the first bytes of <paramref name="input"/>, which moves on behind them. Valid until
    /// the next call on this thread. A refusal: nothing of this request may be sent any more.
    /// </summary>
    public ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> input, out GatewayError? refusal)
    {
        refusal = null;
        if (prefixRead == prefix.Length && input.Length < walk.Left)
        {
            var middle = input;
            input = default;
            refusal = Pass(middle);
            return middle;
        }

        scratch ??= GC.AllocateUninitializedArray<byte>(ScratchBytes);
        var most = scratch.Length - prefix.Length - tail.Length;
        var written = 0;
        while (!input.IsEmpty && written < most)
        {
            refusal = prefixRead < prefix.Length ? ReadPrefix(ref input, ref written) : CopyBody(ref input, ref written, most - written);
            if (refusal is not null) return default;
            if (prefixRead < prefix.Length || walk.Left > 0) continue;
            tail.Span.CopyTo(scratch.AsSpan(written));
            written += tail.Length;
            prefixRead = 0;
        }

        return scratch.AsSpan(0, written);
    }

    /// <summary>The request is over; a refusal if a message of it is not.</summary>
    public GatewayError? End() => prefixRead == 0 ? null : Cut;

    private GatewayError? ReadPrefix(ref ReadOnlySpan<byte> input, ref int written)
    {
        var taken = Math.Min(prefix.Length - prefixRead, input.Length);
        input[..taken].CopyTo(prefix.AsSpan(prefixRead));
        input = input[taken..];
        prefixRead += taken;
        if (RefusesFlag(prefix[0]) is { } refusal) return refusal;
        if (prefixRead < prefix.Length) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (length > uint.MaxValue - tail.Length) return GatewayError.Invalid($"A message of {length} bytes is longer than gRPC allows together with the verified user; the most is {uint.MaxValue - tail.Length}.");
        walk.Begin(length);
        var target = scratch.AsSpan(written, prefix.Length);
        target[0] = prefix[0];
        BinaryPrimitives.WriteUInt32BigEndian(target[1..], length + (uint)tail.Length);
        written += prefix.Length;
        return null;
    }

    private GatewayError? CopyBody(ref ReadOnlySpan<byte> input, ref int written, int most)
    {
        var body = input[..(int)Math.Min(Math.Min(walk.Left, most), input.Length)];
        if (Pass(body) is { } refusal) return refusal;
        body.CopyTo(scratch.AsSpan(written));
        input = input[body.Length..];
        written += body.Length;
        return null;
    }

    private GatewayError? Pass(ReadOnlySpan<byte> bytes) => walk.Pass(bytes) is not { } problem ? null : GatewayError.Invalid(
        $"The request is no valid protobuf message: {problem}. Behind each message this gateway names the verified user, and takes none that could hide it.");
}
