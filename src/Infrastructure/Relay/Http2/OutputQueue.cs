using System.Buffers.Binary;

namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>The bytes that wait for one socket, as whole frames in order. Holds no buffer while it is empty.</summary>
internal sealed class OutputQueue
{
    /// <summary>RFC 7541 section 6.3: a dynamic table size update to 0.</summary>
    private const byte EmptyTable = 0x20;

    private Segment? head;
    private Segment? tail;
    private int dataBytes;
    private TableSize tableSize;

    public bool IsEmpty => head is null;

    public int Length { get; private set; }

    /// <summary>Acknowledgements that wait: the measure of a peer that provokes answers and reads none.</summary>
    public int Answers { get; private set; }

    /// <summary>DATA and HEADERS frames ever written.</summary>
    public long PayloadFrames { get; private set; }

    /// <summary>Bytes ever written.</summary>
    public long Written { get; private set; }

    /// <summary>Those of them that the socket has taken.</summary>
    public long Taken => Written - Length;

    /// <summary>What waits beside flow-controlled data: no window bounds it.</summary>
    public int OverheadBytes => Length - dataBytes;

    /// <summary>The next bytes to send: of one segment, which stays as it is until <see cref="Advance"/>.</summary>
    public ReadOnlyMemory<byte> Next
    {
        get
        {
            if (head is null) return default;
            head.IsLent = true;
            return head.Buffer.AsMemory(head.Start, head.Length);
        }
    }

    /// <summary>The socket has taken so many of <see cref="Next"/>.</summary>
    public void Advance(int bytes)
    {
        Length -= bytes;
        head!.Start += bytes;
        head.IsLent = false;
        if (head.Length > 0)
        {
            Shrink(head);
            return;
        }

        var done = head;
        head = done.Next;
        if (head is null) tail = null;
        Answers -= done.Answers;
        dataBytes -= done.DataBytes;
        done.Release();
    }

    /// <summary>The socket is gone: nothing of this will be sent.</summary>
    public void Clear()
    {
        while (head is not null) Advance(head.Length);
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var segment = Room(1);
            var take = Math.Min(segment.Room, bytes.Length);
            Add(segment, bytes[..take]);
            bytes = bytes[take..];
        }
    }

    /// <summary>Flow-controlled bytes: the sink hears of them when the socket has taken them.</summary>
    public void WriteData(int stream, ReadOnlySpan<byte> bytes, bool endStream, ITakenSink source)
    {
        PayloadFrames++;
        WriteFrameHeader(bytes.Length, FrameType.Data, endStream ? FrameFlags.EndStream : FrameFlags.None, stream);
        while (!bytes.IsEmpty)
        {
            var segment = Room(1);
            var take = Math.Min(segment.Room, bytes.Length);
            Add(segment, bytes[..take]);
            segment.Credit(source, take);
            dataBytes += take;
            bytes = bytes[take..];
        }
    }

    /// <summary>The peer has made its table smaller than the one every encoder begins with: the next block must say that ours is empty.</summary>
    public void OweTableSize() => tableSize = tableSize == TableSize.Untold ? TableSize.Owed : tableSize;

    /// <summary>A header block as HEADERS and, above the peer's frame size, CONTINUATION frames. The block may come in two pieces.</summary>
    public void WriteHeaders(int stream, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, bool endStream, int maxFrame)
    {
        var type = FrameType.Headers;
        PayloadFrames++;
        ReadOnlySpan<byte> lead = tableSize == TableSize.Owed ? [EmptyTable] : default;
        if (tableSize == TableSize.Owed) tableSize = TableSize.Told;
        do
        {
            var a = first[..Math.Min(first.Length, maxFrame - lead.Length)];
            first = first[a.Length..];
            var b = second[..Math.Min(second.Length, maxFrame - lead.Length - a.Length)];
            second = second[b.Length..];
            var flags = first.IsEmpty && second.IsEmpty ? FrameFlags.EndHeaders : FrameFlags.None;
            if (type == FrameType.Headers && endStream) flags |= FrameFlags.EndStream;
            WriteFrameHeader(lead.Length + a.Length + b.Length, type, flags, stream);
            Write(lead);
            lead = default;
            Write(a);
            Write(b);
            type = FrameType.Continuation;
        }
        while (!first.IsEmpty || !second.IsEmpty);
    }

    public void WriteWindowUpdate(int stream, int increment)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, increment);
        WriteControl(FrameType.WindowUpdate, FrameFlags.None, stream, payload);
    }

    public void WriteRstStream(int stream, Http2Error code)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)code);
        WriteControl(FrameType.RstStream, FrameFlags.None, stream, payload);
    }

    public void WritePing(ReadOnlySpan<byte> opaque) => WriteControl(FrameType.Ping, FrameFlags.None, 0, opaque);

    public void WritePingAck(ReadOnlySpan<byte> opaque) => WriteAnswer(FrameType.Ping, opaque);

    public void WriteSettingsAck() => WriteAnswer(FrameType.Settings, default);

    public void WriteSettings(ReadOnlySpan<(SettingId Id, uint Value)> settings)
    {
        Span<byte> payload = stackalloc byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload[(i * 6)..], (ushort)settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload[((i * 6) + 2)..], settings[i].Value);
        }

        WriteControl(FrameType.Settings, FrameFlags.None, 0, payload);
    }

    public void WriteGoAway(int lastStream, Http2Error code, ReadOnlySpan<byte> debug)
    {
        Span<byte> payload = stackalloc byte[8 + debug.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], (uint)code);
        debug.CopyTo(payload[8..]);
        WriteControl(FrameType.GoAway, FrameFlags.None, 0, payload);
    }

    private enum TableSize
    {
        Untold,
        Owed,
        Told,
    }

    private void WriteAnswer(FrameType type, ReadOnlySpan<byte> payload)
    {
        WriteControl(type, FrameFlags.Ack, 0, payload);
        tail!.Answers++;
        Answers++;
    }

    private void WriteControl(FrameType type, FrameFlags flags, int stream, ReadOnlySpan<byte> payload)
    {
        WriteFrameHeader(payload.Length, type, flags, stream);
        Write(payload);
    }

    private void WriteFrameHeader(int length, FrameType type, FrameFlags flags, int stream)
    {
        Span<byte> header = stackalloc byte[Protocol.FrameHeaderBytes];
        header[0] = (byte)(length >> 16);
        header[1] = (byte)(length >> 8);
        header[2] = (byte)length;
        header[3] = (byte)type;
        header[4] = (byte)flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        Write(header);
    }

    private void Add(Segment segment, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(segment.Buffer.AsSpan(segment.End));
        segment.End += bytes.Length;
        Length += bytes.Length;
        Written += bytes.Length;
    }

    private Segment Room(int bytes)
    {
        if (tail is null) return head = tail = Segment.RentSmall();
        if (tail.Room >= bytes) return tail;
        var segment = Segment.Rent();
        if (ReferenceEquals(head, tail) && tail is { IsSmall: true, IsLent: false })
        {
            // It only began small: what leaves together goes out in one write.
            segment.Adopt(tail);
            head = segment;
        }
        else
        {
            tail.Next = segment;
        }

        return tail = segment;
    }

    /// <summary>A peer that stalls near the end of a large segment does not keep it.</summary>
    private void Shrink(Segment first)
    {
        if (first.IsSmall || first.Length > Segment.SmallSize || first.Next is not null) return;
        head = tail = Segment.RentSmall();
        head.Adopt(first);
    }
}
