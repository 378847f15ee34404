using System.Buffers.Binary;
using System.Text;

namespace SparkGateway.Testing.Http2;

public enum FrameType : byte
{
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
}

public static class FrameFlags
{
    public const byte None = 0;
    public const byte EndStream = 0x1;
    public const byte Ack = 0x1;
    public const byte EndHeaders = 0x4;
    public const byte Padded = 0x8;
    public const byte Priority = 0x20;
}

public enum SettingId : ushort
{
    HeaderTableSize = 1,
    EnablePush = 2,
    MaxConcurrentStreams = 3,
    InitialWindowSize = 4,
    MaxFrameSize = 5,
    MaxHeaderListSize = 6,
}

public static class ErrorCodes
{
    public const uint NoError = 0;
    public const uint ProtocolError = 1;
    public const uint InternalError = 2;
    public const uint RefusedStream = 7;
    public const uint Cancel = 8;
    public const uint EnhanceYourCalm = 11;
}

public readonly record struct Setting(SettingId Id, uint Value);

/// <summary>What the nine bytes before a payload say.</summary>
public readonly record struct FrameHeader(int Length, FrameType Type, byte Flags, int StreamId)
{
    public const int Size = 9;

    public bool Has(byte flag) => (Flags & flag) != 0;

    public static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        (bytes[0] << 16) | (bytes[1] << 8) | bytes[2],
        (FrameType)bytes[3],
        bytes[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & 0x7fff_ffff));

    public void Write(Span<byte> bytes)
    {
        bytes[0] = (byte)(Length >> 16);
        bytes[1] = (byte)(Length >> 8);
        bytes[2] = (byte)Length;
        bytes[3] = (byte)Type;
        bytes[4] = Flags;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[5..], (uint)StreamId);
    }
}

/// <summary>One HTTP/2 frame, made without any check: a test may send what no peer should.</summary>
public sealed record Frame(FrameType Type, byte Flags, int StreamId, ReadOnlyMemory<byte> Payload)
{
    public static readonly Frame SettingsAck = new(FrameType.Settings, FrameFlags.Ack, 0, default);

    public bool Has(byte flag) => (Flags & flag) != 0;

    public bool IsAck => Has(FrameFlags.Ack);

    /// <summary>The error code of RST_STREAM and GOAWAY, the increment of WINDOW_UPDATE.</summary>
    public uint Code => BinaryPrimitives.ReadUInt32BigEndian(Payload.Span[(Type == FrameType.GoAway ? 4 : 0)..]);

    public int LastStreamId => (int)(BinaryPrimitives.ReadUInt32BigEndian(Payload.Span) & 0x7fff_ffff);

    public IReadOnlyList<Setting> ReadSettings() =>
    [
        .. Enumerable.Range(0, Payload.Length / 6).Select(at => new Setting(
            (SettingId)BinaryPrimitives.ReadUInt16BigEndian(Payload.Span[(at * 6)..]),
            BinaryPrimitives.ReadUInt32BigEndian(Payload.Span[((at * 6) + 2)..]))),
    ];

    public byte[] ToBytes()
    {
        var bytes = new byte[FrameHeader.Size + Payload.Length];
        new FrameHeader(Payload.Length, Type, Flags, StreamId).Write(bytes);
        Payload.Span.CopyTo(bytes.AsSpan(FrameHeader.Size));
        return bytes;
    }

    public static Frame Settings(params IReadOnlyList<Setting> settings)
    {
        var payload = new byte[6 * settings.Count];
        for (var at = 0; at < settings.Count; at++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(at * 6), (ushort)settings[at].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((at * 6) + 2), settings[at].Value);
        }

        return new Frame(FrameType.Settings, 0, 0, payload);
    }

    public static Frame Data(int streamId, ReadOnlyMemory<byte> payload, bool endStream = false) =>
        new(FrameType.Data, endStream ? FrameFlags.EndStream : FrameFlags.None, streamId, payload);

    /// <summary>DATA with padding: one length byte before, <paramref name="padding"/> zeros behind.</summary>
    public static Frame PaddedData(int streamId, ReadOnlySpan<byte> payload, byte padding, bool endStream = false) =>
        new(FrameType.Data, (byte)(FrameFlags.Padded | (endStream ? FrameFlags.EndStream : 0)), streamId, (byte[])[padding, .. payload, .. new byte[padding]]);

    public static Frame Headers(int streamId, ReadOnlyMemory<byte> block, bool endStream = false, bool endHeaders = true) =>
        new(FrameType.Headers, (byte)((endStream ? FrameFlags.EndStream : 0) | (endHeaders ? FrameFlags.EndHeaders : 0)), streamId, block);

    public static Frame Continuation(int streamId, ReadOnlyMemory<byte> block, bool endHeaders = true) =>
        new(FrameType.Continuation, endHeaders ? FrameFlags.EndHeaders : FrameFlags.None, streamId, block);

    public static Frame Reset(int streamId, uint code) => new(FrameType.RstStream, 0, streamId, BigEndian(code));

    public static Frame WindowUpdate(int streamId, uint increment) => new(FrameType.WindowUpdate, 0, streamId, BigEndian(increment));

    public static Frame Ping(ulong opaque, bool ack = false)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(payload, opaque);
        return new Frame(FrameType.Ping, ack ? FrameFlags.Ack : FrameFlags.None, 0, payload);
    }

    public static Frame GoAway(int lastStreamId, uint code, string text = "") =>
        new(FrameType.GoAway, 0, 0, (byte[])[.. BigEndian((uint)lastStreamId), .. BigEndian(code), .. Encoding.UTF8.GetBytes(text)]);

    private static byte[] BigEndian(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
