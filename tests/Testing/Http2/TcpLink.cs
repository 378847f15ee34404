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
        Up = new TcpFlow(Way.Up);
        Down = new TcpFlow(Way.Down);
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
                var plan = cutter.Plan;
                var passes = flow.Walk(buffer.AsSpan(0, size), plan);
                await PassAsync(to, buffer.AsMemory(0, passes ?? size));
                if (passes is not null) Carry(plan!);
            }

            if (!flow.IsCut) to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            if (!flow.IsCut) End(Cut.Rst);
        }
    }

    private void Carry(CutPlan plan)
    {
        End(plan.Cut);
        plan.Finish();
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
public sealed class TcpFlow(Way way)
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

    /// <summary>Counts these bytes; says after how many of them the plan cuts, or null.</summary>
    internal int? Walk(ReadOnlySpan<byte> chunk, CutPlan? plan)
    {
        Interlocked.Add(ref bytes, chunk.Length);
        for (var at = 0; at < chunk.Length;)
        {
            if (skip > 0)
            {
                var part = (int)Math.Min(skip, chunk.Length - at);
                if (untilCut <= part) return at + untilCut;
                (skip, at, untilCut) = (skip - part, at + part, untilCut - part);
                continue;
            }

            head[headFill++] = chunk[at++];
            if (headFill < head.Length) continue;
            headFill = 0;
            var frame = FrameHeader.Read(head);
            skip = frame.Length;
            if (frame.Type == FrameType.Headers) Interlocked.Increment(ref headersFrames);
            if (plan?.Way == way && untilCut is null && plan.Frame(frame) && plan.Claim()) untilCut = Math.Min(plan.BytesIn, frame.Length);
            if (untilCut == 0) return at;
        }

        return null;
    }
}
