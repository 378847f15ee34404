using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>One connection through a <see cref="TcpCutter"/>.</summary>
public sealed class TcpLink : IDisposable
{
    private readonly TcpCutter cutter;
    private readonly Socket near;
    private readonly Socket far = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    internal TcpLink(TcpCutter cutter, Socket near)
    {
        this.cutter = cutter;
        this.near = near;
        near.NoDelay = true;
        Up = new TcpFlow(Way.Up, cutter);
        Down = new TcpFlow(Way.Down, cutter);
    }

    public TcpFlow Up { get; }

    public TcpFlow Down { get; }

    public TcpFlow Of(Way way) => way == Way.Up ? Up : Down;

    public void End(Cut cut)
    {
        Up.Cut();
        Down.Cut();
        if (cut == Cut.Fin)
        {
            Quietly(() => near.Shutdown(SocketShutdown.Send));
            Quietly(() => far.Shutdown(SocketShutdown.Send));
        }
        else
        {
            Break(near);
            Break(far);
        }
    }

    public void Dispose()
    {
        Up.Cut();
        Down.Cut();
        near.Close();
        far.Close();
    }

    internal async Task RunAsync(IPEndPoint target)
    {
        try
        {
            await far.ConnectAsync(target);
        }
        catch (SocketException)
        {
            Break(near);
            return;
        }

        await Task.WhenAll(PumpAsync(near, far, Up), PumpAsync(far, near, Down));
        near.Close();
        far.Close();
    }

    /// <summary>After a cut it goes on reading, into nothing: unread bytes would turn an orderly end into a reset.</summary>
    private async Task PumpAsync(Socket from, Socket to, TcpFlow flow)
    {
        var buffer = new byte[65_536];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var size)
            {
                await flow.OpenAsync();
                if (flow.IsCut) continue;
                await PassAsync(to, flow, buffer.AsMemory(0, size));
            }

            if (!flow.IsCut) to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            if (!flow.IsCut) End(Cut.Rst);
        }
    }

    /// <summary>As far as the plan lets it.</summary>
    private async Task PassAsync(Socket to, TcpFlow flow, ReadOnlyMemory<byte> bytes)
    {
        var plan = cutter.Plan;
        while (flow.Walk(bytes.Span, plan) is { } passes)
        {
            await PassAsync(to, bytes[..passes]);
            bytes = bytes[passes..];
            if (plan!.Inserted is null) End(plan.Cut);
            else await PassAsync(to, plan.Inserted);
            plan.Finish();
            if (flow.IsCut) return;
        }

        await PassAsync(to, bytes);
    }

    private async Task PassAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (cutter.Delay is { } delay) await Task.Delay(delay, TimeProvider.System);
            var piece = Math.Min(bytes.Length, cutter.SplitBytes ?? bytes.Length);
            var sent = await to.SendAsync(bytes[..piece]);
            bytes = bytes[sent..];
        }
    }

    private static void Break(Socket socket) => Quietly(() =>
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    });

    private static void Quietly(Action action)
    {
        try
        {
            action();
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The other end was faster.
        }
    }
}

/// <summary>One direction of a link: what has passed, and whether anything may.</summary>
public sealed class TcpFlow(Way way, TcpCutter cutter)
{
    private readonly byte[] head = new byte[FrameHeader.Size];
    private int headFill;
    private long skip = way == Way.Up ? H2Connection.Preface.Length : 0;
    private int? untilCut;
    private int headersFrames;
    private long bytes;
    private volatile bool cut;
    private volatile TaskCompletionSource? stopped;

    public long Bytes => Interlocked.Read(ref bytes);

    public int HeadersFrames => Volatile.Read(ref headersFrames);

    internal bool IsCut => cut;

    public void Stop() => stopped ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Continue()
    {
        stopped?.TrySetResult();
        stopped = null;
    }

    internal void Cut()
    {
        cut = true;
        Continue();
    }

    internal Task OpenAsync() => stopped?.Task ?? Task.CompletedTask;

    /// <summary>Counts these bytes; says behind which of them the plan acts, and has then counted only so far; or null.</summary>
    internal int? Walk(ReadOnlySpan<byte> chunk, CutPlan? plan)
    {
        var at = 0;
        while (at < chunk.Length && untilCut != 0)
        {
            if (skip > 0)
            {
                var part = (int)Math.Min(Math.Min(skip, untilCut ?? skip), chunk.Length - at);
                (skip, at, untilCut) = (skip - part, at + part, untilCut - part);
                continue;
            }

            head[headFill++] = chunk[at++];
            if (headFill < head.Length) continue;
            headFill = 0;
            var frame = FrameHeader.Read(head);
            skip = frame.Length;
            if (frame.Type == FrameType.Headers) Interlocked.Increment(ref headersFrames);
            cutter.Seen?.Invoke(way, frame);
            if (plan?.Way == way && plan.Frame(frame) && plan.Claim(frame)) untilCut = Math.Min(plan.BytesIn, frame.Length);
        }

        Interlocked.Add(ref bytes, at);
        if (untilCut != 0) return null;
        untilCut = null;
        return at;
    }
}
