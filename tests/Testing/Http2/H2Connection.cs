using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>
/// One HTTP/2 connection from the point of view of a test, client or server: it records what comes, keeps the send
/// windows, and sends what it is told, legal or not. It shares no code with the product, so that faults do not cancel out.
/// </summary>
public class H2Connection : IAsyncDisposable
{
    public const int DefaultWindow = 65_535;
    public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly Socket socket;
    private readonly NetworkStream network;
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Lock gate = new();
    private readonly List<Frame> frames = [];
    private readonly Dictionary<int, H2Stream> streams = [];
    private readonly Signal changed = new();
    private readonly FrameReceiver receiver;
    private Task reading = Task.CompletedTask;
    private long connectionWindow = DefaultWindow;
    private long initialWindow = DefaultWindow;
    private volatile bool closed;

    protected H2Connection(Socket socket, H2Options options)
    {
        this.socket = socket;
        Options = options;
        socket.NoDelay = true;
        if (options.ReceiveBufferBytes is { } size) socket.ReceiveBufferSize = size;
        network = new NetworkStream(socket, ownsSocket: false);
        receiver = new FrameReceiver(network);
    }

    public H2Options Options { get; }

    /// <summary>Everything received so far, DATA without its payload unless bodies are kept.</summary>
    public IReadOnlyList<Frame> Frames
    {
        get
        {
            lock (gate) return [.. frames];
        }
    }

    public IReadOnlyList<H2Stream> Streams
    {
        get
        {
            lock (gate) return [.. streams.Values];
        }
    }

    /// <summary>What the peer may still be sent on the connection.</summary>
    public long SendWindow => Interlocked.Read(ref connectionWindow);

    public int PeerMaxFrameSize { get; private set; } = 16_384;

    public int PeerMaxHeaderListSize { get; private set; } = int.MaxValue;

    /// <summary>The peer has closed, with FIN or RST, or broke the protocol.</summary>
    public bool IsClosed => closed;

    public Exception? Failure { get; private set; }

    public EndPoint? PeerAddress => socket.RemoteEndPoint;

    /// <summary>Calls that the peer opened, in order of arrival; used by servers.</summary>
    internal Action<H2Stream>? Opened { get; init; }

    public void PauseReading() => receiver.Pause();

    public void ResumeReading() => receiver.Resume();

    public async Task SendAsync(params IReadOnlyList<Frame> sent) => await SendRawAsync(sent.SelectMany(frame => frame.ToBytes()).ToArray());

    /// <summary>These bytes and nothing else: half a frame, a preface, garbage.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        await writing.WaitAsync();
        try
        {
            await network.WriteAsync(bytes);
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>One packet for each byte.</summary>
    public async Task SendByteByByteAsync(ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at++) await SendRawAsync(bytes.Slice(at, 1));
    }

    /// <summary>DATA under the peer's windows and frame limit, as a well-behaved sender; waits for room.</summary>
    public async Task SendDataAsync(H2Stream stream, ReadOnlyMemory<byte> data, bool endStream, TimeSpan? limit = null)
    {
        do
        {
            var size = Math.Min(data.Length, PeerMaxFrameSize);
            if (size > 0)
            {
                await WaitAsync(() => stream.IsOver || TakeWindow(stream, ref size), () => $"room for DATA on stream {stream.Id}", limit);
                if (stream.IsOver) throw new IOException($"Stream {stream.Id} is over before its data was sent: {stream}.");
            }

            await SendAsync(Frame.Data(stream.Id, data[..size], endStream && size == data.Length));
            data = data[size..];
        }
        while (data.Length > 0);
    }

    /// <summary>The first received frame that fits, from the <paramref name="from"/>th on; waits for it.</summary>
    public async Task<Frame> FrameAsync(string what, Func<Frame, bool> fits, int from = 0, TimeSpan? limit = null)
    {
        Frame? found = null;
        await WaitAsync(() => (found = Frames.Skip(from).FirstOrDefault(fits)) is not null, () => what, limit);
        return found!;
    }

    public Task<Frame> FrameAsync(FrameType type, TimeSpan? limit = null) => FrameAsync($"a {type} frame", frame => frame.Type == type, 0, limit);

    /// <summary>Sends a PING and waits for its answer: all that was sent before has then been read by the peer.</summary>
    public async Task PingAsync(ulong opaque = 0x0102_0304_0506_0708, TimeSpan? limit = null)
    {
        var ping = Frame.Ping(opaque);
        var from = Frames.Count;
        await SendAsync(ping);
        await FrameAsync("the answer to a PING", frame => frame.Type == FrameType.Ping && frame.IsAck && frame.Payload.Span.SequenceEqual(ping.Payload.Span), from, limit);
    }

    public Task ClosedAsync(TimeSpan? limit = null) => changed.WaitAsync(() => closed, () => "the end of the connection", limit);

    /// <summary>FIN: the peer reads an orderly end.</summary>
    public void Finish() => socket.Shutdown(SocketShutdown.Both);

    /// <summary>FIN, and reads on.</summary>
    public void FinishSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>RST: the peer's connection breaks.</summary>
    public void Abort()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        receiver.Resume();
        socket.Close();
        await reading;
        await receiver.DisposeAsync();
        writing.Dispose();
        foreach (var stream in Streams) stream.Dispose();
    }

    internal Task WaitAsync(Func<bool> condition, Func<string> what, TimeSpan? limit = null) => changed.WaitAsync(
        () => condition() || (closed && !condition() ? throw new IOException($"The connection ended before: {what()}. {Failure?.Message}") : false), what, limit);

    internal void Pulse() => changed.Pulse();

    /// <summary>Greets and begins to read.</summary>
    protected async Task StartAsync(bool isServer)
    {
        byte[] hello = isServer ? [] : [.. Options.Before.Span, .. Preface];
        var window = Options.ConnectionWindowIncrement > 0 ? Frame.WindowUpdate(0, Options.ConnectionWindowIncrement).ToBytes() : [];
        await SendRawAsync((byte[])[.. hello, .. Frame.Settings(Options.Settings).ToBytes(), .. window]);
        reading = ReadAsync(isServer);
    }

    protected H2Stream Add(int id)
    {
        lock (gate)
        {
            var stream = new H2Stream(this, id, initialWindow);
            streams.Add(id, stream);
            return stream;
        }
    }

    private async Task ReadAsync(bool isServer)
    {
        try
        {
            if (isServer) await receiver.ExpectAsync(Preface);
            while (await receiver.NextAsync() is { } frame) await TakeAsync(frame);
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException or FormatException or InvalidDataException)
        {
            Failure = failure;
        }

        closed = true;
        changed.Pulse();
        foreach (var stream in Streams) stream.Pulse();
    }

    private async Task TakeAsync(Frame frame)
    {
        lock (gate) frames.Add(Options.KeepsBodies || frame.Type != FrameType.Data ? frame : frame with { Payload = default });
        switch (frame.Type)
        {
            case FrameType.Settings when !frame.IsAck:
                Apply(frame.ReadSettings());
                if (Options.AcknowledgesSettings) await TrySendAsync(Frame.SettingsAck);
                break;
            case FrameType.Ping when !frame.IsAck && Options.AnswersPings:
                await TrySendAsync(frame with { Flags = FrameFlags.Ack });
                break;
            case FrameType.WindowUpdate when frame.StreamId == 0:
                Interlocked.Add(ref connectionWindow, frame.Code);
                break;
            case FrameType.Data when Options.CreditsData && frame.Payload.Length > 0:
                Find(frame.StreamId)?.Take(frame);
                await CreditAsync(frame);
                break;
            case FrameType.Headers when receiver.LastHeaders is { } fields:
                (Find(frame.StreamId) ?? Open(frame.StreamId)).TakeHeaders(fields, frame.Has(FrameFlags.EndStream));
                break;
            default:
                if (frame.StreamId != 0) Find(frame.StreamId)?.Take(frame);
                break;
        }

        changed.Pulse();
    }

    private Task CreditAsync(Frame data)
    {
        var credit = Frame.WindowUpdate(0, (uint)data.Payload.Length);
        return data.Has(FrameFlags.EndStream) ? TrySendAsync(credit) : TrySendAsync(credit, credit with { StreamId = data.StreamId });
    }

    /// <summary>A peer that has gone meanwhile is noticed by the read.</summary>
    private async Task TrySendAsync(params IReadOnlyList<Frame> sent)
    {
        try
        {
            await SendAsync(sent);
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException)
        {
            Failure ??= failure;
        }
    }

    private H2Stream? Find(int id)
    {
        lock (gate) return streams.GetValueOrDefault(id);
    }

    private H2Stream Open(int id)
    {
        var stream = Add(id);
        stream.WhenFirstHeaders = Opened;
        return stream;
    }

    private void Apply(IReadOnlyList<Setting> settings)
    {
        foreach (var (id, value) in settings)
        {
            switch (id)
            {
                case SettingId.MaxFrameSize:
                    PeerMaxFrameSize = (int)value;
                    break;
                case SettingId.MaxHeaderListSize:
                    PeerMaxHeaderListSize = (int)Math.Min(value, int.MaxValue);
                    break;
                case SettingId.InitialWindowSize:
                    lock (gate)
                    {
                        foreach (var stream in streams.Values) stream.Grow(value - initialWindow);
                        initialWindow = value;
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private bool TakeWindow(H2Stream stream, ref int size)
    {
        lock (gate)
        {
            var room = Math.Min(Interlocked.Read(ref connectionWindow), stream.SendWindow);
            if (room <= 0) return false;
            size = (int)Math.Min(size, room);
            Interlocked.Add(ref connectionWindow, -size);
            stream.Grow(-size);
            return true;
        }
    }
}
