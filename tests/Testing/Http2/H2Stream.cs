using System.Security.Cryptography;

namespace SparkGateway.Testing.Http2;

/// <summary>One call as a peer sees it: what has come on it, and the means to answer.</summary>
public sealed class H2Stream : IDisposable
{
    private readonly H2Connection connection;
    private readonly Lock gate = new();
    private readonly Signal changed = new();
    private readonly List<HeaderList> blocks = [];
    private readonly MemoryStream body = new();
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long received;
    private long window;
    private int messageAt;
    private volatile bool ended;
    private uint? resetCode;

    internal H2Stream(H2Connection connection, int id, long initialWindow)
    {
        this.connection = connection;
        Id = id;
        window = initialWindow;
    }

    public int Id { get; }

    public H2Connection Connection => connection;

    /// <summary>DATA bytes so far, prefixes of messages included.</summary>
    public long Received => Interlocked.Read(ref received);

    /// <summary>What the peer may still be sent on this stream.</summary>
    public long SendWindow => Interlocked.Read(ref window);

    /// <summary>The peer has sent END_STREAM.</summary>
    public bool HasEnded => ended;

    public uint? ResetCode
    {
        get
        {
            lock (gate) return resetCode;
        }
    }

    public bool IsOver => ResetCode is not null || connection.IsClosed;

    /// <summary>All header blocks so far: request or response headers, then trailers.</summary>
    public IReadOnlyList<HeaderList> Blocks
    {
        get
        {
            lock (gate) return [.. blocks];
        }
    }

    /// <summary>The first block; only when one has come.</summary>
    public HeaderList Headers => Blocks[0];

    public string Path => Headers[":path"] ?? "";

    public byte[] Body
    {
        get
        {
            lock (gate) return body.ToArray();
        }
    }

    internal Action<H2Stream>? WhenFirstHeaders { get; set; }

    public async Task<HeaderList> HeadersAsync(TimeSpan? limit = null)
    {
        await WaitAsync(() => Blocks.Count > 0, "headers", limit);
        return Headers;
    }

    /// <summary>The next whole gRPC message, without its prefix.</summary>
    public async Task<byte[]> MessageAsync(TimeSpan? limit = null)
    {
        byte[]? message = null;
        await WaitAsync(() => (message = TakeMessage()) is not null, "a message", limit);
        return message!;
    }

    public Task ReceivedAsync(long bytes, TimeSpan? limit = null) => WaitAsync(() => Received >= bytes, $"{bytes} bytes, {Received} came", limit);

    /// <summary>Waits for END_STREAM and gives the last block: trailers, or the only block of a trailers-only answer.</summary>
    public async Task<HeaderList> EndAsync(TimeSpan? limit = null)
    {
        await WaitAsync(() => ended, "the end of the stream", limit);
        return Blocks[^1];
    }

    public async Task<uint> ResetAsync(TimeSpan? limit = null)
    {
        await changed.WaitAsync(() => ResetCode is not null || (connection.IsClosed ? throw Broken("a reset") : false), () => $"a reset of stream {Id}: {this}", limit);
        return ResetCode!.Value;
    }

    /// <summary>SHA-256 of all DATA bytes since the last call.</summary>
    public string TakeHash()
    {
        lock (gate) return Convert.ToHexString(hash.GetHashAndReset());
    }

    public Task SendHeadersAsync(IEnumerable<HeaderField> fields, bool endStream = false) =>
        connection.SendAsync(Frame.Headers(Id, HeaderEncoder.Encode(fields), endStream));

    public Task SendDataAsync(ReadOnlyMemory<byte> data, bool endStream = false, TimeSpan? limit = null) => connection.SendDataAsync(this, data, endStream, limit);

    public Task SendMessageAsync(ReadOnlyMemory<byte> message, bool endStream = false, TimeSpan? limit = null) => SendDataAsync(Grpc.Frame(message.Span), endStream, limit);

    public Task SendResetAsync(uint code = ErrorCodes.Cancel) => connection.SendAsync(Frame.Reset(Id, code));

    public override string ToString() =>
        $"stream {Id}, {Blocks.Count} header blocks, {Received} bytes, {(ended ? "ended" : "open")}{(ResetCode is { } code ? $", reset {code}" : "")}{(Blocks.Count > 0 ? $"; last block {Blocks[^1]}" : "")}";

    public void Dispose()
    {
        hash.Dispose();
        body.Dispose();
    }

    internal void Grow(long by) => Interlocked.Add(ref window, by);

    internal void Pulse() => changed.Pulse();

    internal void TakeHeaders(HeaderList fields, bool isEnd)
    {
        bool isFirst;
        lock (gate)
        {
            blocks.Add(fields);
            isFirst = blocks.Count == 1;
        }

        ended |= isEnd;
        changed.Pulse();
        if (isFirst) WhenFirstHeaders?.Invoke(this);
    }

    internal void Take(Frame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Data:
                TakeData(frame);
                break;
            case FrameType.RstStream:
                lock (gate) resetCode = frame.Code;
                break;
            case FrameType.WindowUpdate:
                Grow(frame.Code);
                break;
            default:
                break;
        }

        changed.Pulse();
    }

    private void TakeData(Frame frame)
    {
        var data = frame.Has(FrameFlags.Padded) ? frame.Payload[1..^frame.Payload.Span[0]] : frame.Payload;
        lock (gate)
        {
            hash.AppendData(data.Span);
            if (connection.Options.KeepsBodies) body.Write(data.Span);
        }

        Interlocked.Add(ref received, data.Length);
        ended |= frame.Has(FrameFlags.EndStream);
    }

    private byte[]? TakeMessage()
    {
        lock (gate)
        {
            var message = Grpc.Read(body.GetBuffer().AsSpan(messageAt, (int)body.Length - messageAt), out var size);
            messageAt += size;
            return message;
        }
    }

    private Task WaitAsync(Func<bool> condition, string what, TimeSpan? limit) => changed.WaitAsync(
        () => condition() || (IsOver && !condition() ? throw Broken(what) : false), () => $"{what} on {this}", limit);

    private IOException Broken(string what) => new($"No {what}: {this}. {connection.Failure?.Message}");
}
