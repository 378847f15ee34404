using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>How a connection ends: in order, or broken.</summary>
public enum Cut
{
    Fin,
    Rst,
}

/// <summary>Up is from whoever dials the cutter to its target.</summary>
public enum Way
{
    Up,
    Down,
}

/// <summary>Where to cut, or to put in a frame; done once, on the first link that gets there.</summary>
public sealed class CutPlan(Way way, Cut cut, Func<FrameHeader, bool> frame, int bytesIn, Func<FrameHeader, Frame>? insert = null)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int claimed;

    public Way Way => way;

    public Cut Cut => cut;

    /// <summary>The frame to cut in.</summary>
    public Func<FrameHeader, bool> Frame => frame;

    /// <summary>How many bytes of its payload still pass.</summary>
    public int BytesIn => bytesIn;

    public Task DoneAsync(TimeSpan? limit = null) => done.Task.Within("a cut of the connection", limit);

    /// <summary>True for the first that asks.</summary>
    internal bool Claim(FrameHeader at)
    {
        if (Interlocked.Exchange(ref claimed, 1) != 0) return false;
        Inserted = insert?.Invoke(at).ToBytes();
        return true;
    }

    /// <summary>What is put in instead of a cut.</summary>
    internal byte[]? Inserted { get; private set; }

    internal void Finish() => done.TrySetResult();
}

/// <summary>
/// A TCP proxy between two peers that can break, stop, split and slow what passes. It knows HTTP/2 frames just well
/// enough to cut inside one, and to count the calls.
/// </summary>
public sealed class TcpCutter : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint target;
    private readonly Lock gate = new();
    private readonly List<TcpLink> links = [];
    private readonly List<Task> running = [];
    private readonly Signal changed = new();
    private readonly Task accepting;
    private volatile CutPlan? plan;

    private TcpCutter(int targetPort, int port)
    {
        target = new IPEndPoint(IPAddress.Loopback, targetPort);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(1_024);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        accepting = AcceptAsync();
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public IReadOnlyList<TcpLink> Links
    {
        get
        {
            lock (gate) return [.. links];
        }
    }

    /// <summary>Calls seen on all links: HEADERS frames on the way up.</summary>
    public int Calls => Links.Sum(link => link.Up.HeadersFrames);

    /// <summary>Largest piece that is passed on at once; null: whatever was read.</summary>
    public int? SplitBytes { get; set; }

    /// <summary>Wait before each piece; null: none.</summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>New connections are closed at once.</summary>
    public bool Refuses { get; set; }

    /// <summary>Told of each frame that begins to pass, before the plan is.</summary>
    public Action<Way, FrameHeader>? Seen { get; set; }

    internal CutPlan? Plan => plan;

    /// <param name="port">0 takes a free one.</param>
    public static TcpCutter Start(int targetPort, int port = 0) => new(targetPort, port);

    /// <summary>Cuts inside the first frame that fits, after that many bytes of its payload.</summary>
    public CutPlan CutIn(Way way, Cut cut, Func<FrameHeader, bool> frame, int bytesIn = 1) => plan = new CutPlan(way, cut, frame, bytesIn);

    /// <summary>Puts a frame in behind the first one that fits, as if the sender had sent it.</summary>
    public CutPlan InsertBehind(Way way, Func<FrameHeader, bool> frame, Func<FrameHeader, Frame> insert) => plan = new CutPlan(way, default, frame, int.MaxValue, insert);

    public void CutAll(Cut cut)
    {
        foreach (var link in Links) link.End(cut);
    }

    /// <summary>Nothing passes that way any more until Continue, on all links.</summary>
    public void Stop(Way way)
    {
        foreach (var link in Links) link.Of(way).Stop();
    }

    public void Continue(Way way)
    {
        foreach (var link in Links) link.Of(way).Continue();
    }

    public async Task<TcpLink> LinkAsync(int number = 0, TimeSpan? limit = null)
    {
        await changed.WaitAsync(() => Links.Count > number, () => $"connection {number} through the cutter", limit);
        return Links[number];
    }

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await accepting;
        foreach (var link in Links) link.Dispose();
        await Task.WhenAll(running).Within("the end of the cutter's links");
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var accepted = await listener.AcceptAsync();
                if (Refuses) accepted.Close();
                else Run(accepted);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The listener was closed.
        }
    }

    private void Run(Socket accepted)
    {
        var link = new TcpLink(this, accepted);
        lock (gate) links.Add(link);
        running.Add(link.RunAsync(target));
        changed.Pulse();
    }
}
