using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>Bounds of what one connection may send. Sizes in bytes.</summary>
internal sealed record FrameLimits(int MaxFrame, int MaxHeaderBlock, int MaxContinuations);

/// <summary>
/// Cuts a byte stream into frames, whatever way the bytes are split. DATA is passed on in parts as it comes; any other
/// payload is gathered first, in a rented buffer that is given back with the frame: between frames nothing is held.
/// </summary>
internal sealed class FrameReader(FrameLimits limits, IFrameHandler handler) : IDisposable
{
    private HeaderBytes header;
    private int headerFilled;
    private FrameType type;
    private FrameFlags flags;
    private int stream;
    private int remaining;
    private int padding;
    private bool padLengthRead;
    private byte[]? gathered;
    private int gatheredLength;
    private byte[]? block;
    private int blockLength;
    private int blockStream;
    private bool blockEndsStream;
    private bool blockDependsOnItself;
    private bool hasBegun;
    private int continuations;

    /// <summary>A header block, or the frame that begins one, has begun and is not complete: the slow-headers guard.</summary>
    public bool IsInsideHeaders => blockStream != 0 || (headerFilled == Protocol.FrameHeaderBytes && type == FrameType.Headers);

    /// <summary>Which bound of this reader's own was broken, for the peer and the log; null: none.</summary>
    public string? Reason { get; private set; }

    public Http2Error Read(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return Http2Error.NoError;
        while (true)
        {
            if (headerFilled < Protocol.FrameHeaderBytes)
            {
                var take = Math.Min(Protocol.FrameHeaderBytes - headerFilled, input.Length);
                input[..take].CopyTo(((Span<byte>)header)[headerFilled..]);
                headerFilled += take;
                input = input[take..];
                if (headerFilled < Protocol.FrameHeaderBytes) return Http2Error.NoError;
                var begun = BeginFrame();
                if (begun != Http2Error.NoError) return begun;
                if (remaining > 0 && input.IsEmpty) return Http2Error.NoError;
            }

            var error = type == FrameType.Data ? ReadData(ref input) : ReadWhole(ref input);
            if (error != Http2Error.NoError) return error;
            if (input.IsEmpty) return Http2Error.NoError;
        }
    }

    public void Dispose()
    {
        Return(ref gathered);
        Return(ref block);
    }

    private Http2Error BeginFrame()
    {
        ReadOnlySpan<byte> bytes = header;
        remaining = (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
        type = (FrameType)bytes[3];
        flags = (FrameFlags)bytes[4];
        stream = (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & 0x7fff_ffff);
        padding = 0;
        padLengthRead = false;
        gatheredLength = 0;
        if (!hasBegun && (type != FrameType.Settings || IsSet(FrameFlags.Ack))) return Http2Error.ProtocolError; // RFC 9113 section 3.4, either side.
        hasBegun = true;
        if (remaining > limits.MaxFrame) return Http2Error.FrameSizeError;
        if (blockStream != 0 && (type != FrameType.Continuation || stream != blockStream)) return Http2Error.ProtocolError;
        return type switch
        {
            FrameType.Data => BeginData(),
            FrameType.Headers => stream == 0 ? Http2Error.ProtocolError : BlockFits(),
            FrameType.Continuation => blockStream == 0 ? Http2Error.ProtocolError
                : ++continuations > limits.MaxContinuations ? TooMuch("too many CONTINUATION frames") : BlockFits(),
            FrameType.Priority => stream == 0 ? Http2Error.ProtocolError : Http2Error.NoError,
            FrameType.RstStream => stream == 0 ? Http2Error.ProtocolError : remaining == 4 ? Http2Error.NoError : Http2Error.FrameSizeError,
            FrameType.Settings => BeginSettings(),
            FrameType.PushPromise => Http2Error.ProtocolError,
            FrameType.Ping => stream != 0 ? Http2Error.ProtocolError : remaining == 8 ? Http2Error.NoError : Http2Error.FrameSizeError,
            FrameType.GoAway => stream != 0 ? Http2Error.ProtocolError : remaining >= 8 ? Http2Error.NoError : Http2Error.FrameSizeError,
            FrameType.WindowUpdate => remaining == 4 ? Http2Error.NoError : Http2Error.FrameSizeError,
            _ => Http2Error.NoError,
        };
    }

    private Http2Error BeginData()
    {
        if (stream == 0) return Http2Error.ProtocolError;
        if (IsSet(FrameFlags.Padded) && remaining == 0) return Http2Error.FrameSizeError;
        return handler.OnDataStart(stream, remaining);
    }

    private Http2Error BeginSettings()
    {
        if (stream != 0) return Http2Error.ProtocolError;
        return remaining % 6 != 0 || (IsSet(FrameFlags.Ack) && remaining != 0) ? Http2Error.FrameSizeError : Http2Error.NoError;
    }

    private Http2Error BlockFits() => blockLength + remaining > limits.MaxHeaderBlock + 256 + 6 ? BlockTooLarge() : Http2Error.NoError;

    private Http2Error BlockTooLarge() => TooMuch("header block too large");

    private Http2Error TooMuch(string reason)
    {
        Reason = reason;
        return Http2Error.EnhanceYourCalm;
    }

    private Http2Error ReadData(ref ReadOnlySpan<byte> input)
    {
        var overhead = 0;
        if (IsSet(FrameFlags.Padded) && !padLengthRead)
        {
            padding = input[0];
            input = input[1..];
            remaining--;
            overhead = 1;
            padLengthRead = true;
            if (padding > remaining) return Http2Error.ProtocolError;
        }

        var part = Math.Min(remaining, input.Length);
        var data = Math.Min(part, remaining - padding);
        if (data < 0) data = 0;
        var bytes = input[..data];
        var pad = part - data;
        if (padding > 0) padding -= pad;
        remaining -= part;
        input = input[part..];
        var last = remaining == 0;
        if (last) headerFilled = 0;
        return handler.OnDataPart(stream, bytes, overhead + pad, last, last && IsSet(FrameFlags.EndStream));
    }

    private Http2Error ReadWhole(ref ReadOnlySpan<byte> input)
    {
        ReadOnlySpan<byte> payload;
        if (gatheredLength == 0 && input.Length >= remaining)
        {
            payload = input[..remaining];
            input = input[remaining..];
        }
        else
        {
            gathered ??= ArrayPool<byte>.Shared.Rent(Math.Max(remaining, 64));
            var take = Math.Min(remaining, input.Length);
            input[..take].CopyTo(gathered.AsSpan(gatheredLength));
            gatheredLength += take;
            remaining -= take;
            input = input[take..];
            if (remaining > 0) return Http2Error.NoError;
            payload = gathered.AsSpan(0, gatheredLength);
        }

        headerFilled = 0;
        var error = Dispatch(payload);
        Return(ref gathered);
        return error;
    }

    private Http2Error Dispatch(ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case FrameType.Headers:
            case FrameType.Continuation:
                return HeaderFragment(payload);
            case FrameType.Settings:
                return IsSet(FrameFlags.Ack) ? handler.OnSettingsAck() : handler.OnSettings(payload);
            case FrameType.Ping:
                return IsSet(FrameFlags.Ack) ? handler.OnPingAck(payload) : handler.OnPing(payload);
            case FrameType.GoAway:
                var last = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7fff_ffff);
                return handler.OnGoAway(last, (Http2Error)BinaryPrimitives.ReadUInt32BigEndian(payload[4..]), payload[8..]);
            case FrameType.WindowUpdate:
                var increment = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7fff_ffff);
                return increment == 0 && stream == 0 ? Http2Error.ProtocolError : handler.OnWindowUpdate(stream, increment);
            case FrameType.RstStream:
                return handler.OnRstStream(stream, (Http2Error)BinaryPrimitives.ReadUInt32BigEndian(payload));
            case FrameType.Priority when payload.Length != 5:
                return handler.OnStreamError(stream, Http2Error.FrameSizeError);
            case FrameType.Priority when DependsOnItself(payload):
                return handler.OnStreamError(stream, Http2Error.ProtocolError);
            default:
                return handler.OnIgnored(); // PRIORITY is advice that nobody takes; unknown types must be ignored.
        }
    }

    private Http2Error HeaderFragment(ReadOnlySpan<byte> payload)
    {
        if (type == FrameType.Headers)
        {
            if (IsSet(FrameFlags.Padded))
            {
                if (payload.IsEmpty) return Http2Error.FrameSizeError;
                var pad = payload[0];
                payload = payload[1..];
                if (pad > payload.Length) return Http2Error.ProtocolError;
                payload = payload[..^pad];
            }

            if (IsSet(FrameFlags.Priority))
            {
                if (payload.Length < 5) return Http2Error.FrameSizeError;
                blockDependsOnItself = DependsOnItself(payload);
                payload = payload[5..];
            }

            if (payload.Length > limits.MaxHeaderBlock) return BlockTooLarge();
            if (IsSet(FrameFlags.EndHeaders)) return HeaderBlock(payload, IsSet(FrameFlags.EndStream));
            blockStream = stream;
            blockEndsStream = IsSet(FrameFlags.EndStream);
            blockLength = 0;
            continuations = 0;
        }

        if (blockLength + payload.Length > limits.MaxHeaderBlock) return BlockTooLarge();
        block ??= ArrayPool<byte>.Shared.Rent(limits.MaxHeaderBlock);
        payload.CopyTo(block.AsSpan(blockLength));
        blockLength += payload.Length;
        if (!IsSet(FrameFlags.EndHeaders)) return Http2Error.NoError;
        blockStream = 0;
        var error = HeaderBlock(block.AsSpan(0, blockLength), blockEndsStream);
        blockLength = 0;
        Return(ref block);
        return error;
    }

    /// <summary>The block is decoded in any case: the peer's table must be followed.</summary>
    private Http2Error HeaderBlock(ReadOnlySpan<byte> payload, bool endStream)
    {
        var error = handler.OnHeaders(stream, payload, endStream);
        if (error == Http2Error.NoError && blockDependsOnItself) error = handler.OnStreamError(stream, Http2Error.ProtocolError);
        blockDependsOnItself = false;
        return error;
    }

    private bool DependsOnItself(ReadOnlySpan<byte> priority) => (int)(BinaryPrimitives.ReadUInt32BigEndian(priority) & 0x7fff_ffff) == stream;

    private bool IsSet(FrameFlags flag) => (flags & flag) != 0;

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is null) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }

    [InlineArray(Protocol.FrameHeaderBytes)]
    private struct HeaderBytes
    {
        private byte first;
    }
}
