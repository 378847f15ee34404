namespace SparkGateway.Testing.Http2;

/// <summary>Reads frames one after the other, joins header blocks, and can be told to stop reading.</summary>
internal sealed class FrameReceiver(Stream network) : IAsyncDisposable
{
    private readonly BufferedStream buffered = new(network, 65_536);
    private readonly HeaderDecoder decoder = new();
    private readonly byte[] head = new byte[FrameHeader.Size];
    private volatile TaskCompletionSource open = Done();
    private (Frame First, List<byte> Block)? pending;

    /// <summary>The fields of the header block that the last HEADERS frame began and a later frame may have ended.</summary>
    public HeaderList? LastHeaders { get; private set; }

    public void Pause() => open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume() => open.TrySetResult();

    public async Task ExpectAsync(byte[] bytes)
    {
        var got = new byte[bytes.Length];
        await buffered.ReadExactlyAsync(got);
        if (!got.AsSpan().SequenceEqual(bytes)) throw new InvalidDataException($"Not the preface: {Convert.ToHexString(got)}.");
    }

    /// <summary>The next frame, a header block with all its CONTINUATION frames as one; null at the end of the connection.</summary>
    public async Task<Frame?> NextAsync()
    {
        while (true)
        {
            await open.Task;
            var got = await buffered.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false);
            if (got == 0) return null;
            if (got < head.Length) throw new IOException("The connection ended inside a frame's header.");
            var header = FrameHeader.Read(head);
            var payload = new byte[header.Length];
            await buffered.ReadExactlyAsync(payload);
            var frame = new Frame(header.Type, header.Flags, header.StreamId, payload);
            if (frame.Type is not (FrameType.Headers or FrameType.Continuation)) return frame;
            if (Join(frame) is { } whole) return whole;
        }
    }

    public ValueTask DisposeAsync() => buffered.DisposeAsync();

    /// <summary>Padding and priority fields are dropped; the frame that is returned holds the whole block.</summary>
    private Frame? Join(Frame frame)
    {
        if (frame.Type == FrameType.Headers) pending = (frame, [.. BlockOf(frame)]);
        else if (pending is { } begun && begun.First.StreamId == frame.StreamId) begun.Block.AddRange(frame.Payload.Span);
        else throw new InvalidDataException("CONTINUATION without HEADERS.");

        var (first, block) = pending!.Value;
        if (!frame.Has(FrameFlags.EndHeaders)) return null;
        LastHeaders = decoder.Decode(block.ToArray());
        pending = null;
        return first with { Payload = block.ToArray() };
    }

    private static byte[] BlockOf(Frame frame)
    {
        var payload = frame.Payload.Span;
        var padding = frame.Has(FrameFlags.Padded) ? payload[0] : 0;
        var start = (frame.Has(FrameFlags.Padded) ? 1 : 0) + (frame.Has(FrameFlags.Priority) ? 5 : 0);
        return payload[start..^padding].ToArray();
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
