using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>A balancer of connections, as stands before replicas: each new one goes to the next target that takes it, or to the first that does.</summary>
public sealed class TcpBalancer : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IReadOnlyList<int> targets;
    private readonly bool rotates;
    private readonly List<Task> running = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;
    private int next;

    private TcpBalancer(IReadOnlyList<int> targets, bool rotates)
    {
        this.targets = targets;
        this.rotates = rotates;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1_024);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <param name="targets">Ports of 127.0.0.1.</param>
    public static TcpBalancer Start(params IReadOnlyList<int> targets) => new(targets, rotates: true);

    /// <summary>Others than the first are only for when that does not listen.</summary>
    public static TcpBalancer StartInOrder(params IReadOnlyList<int> targets) => new(targets, rotates: false);

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await accepting;
        await stopping.CancelAsync();
        await Task.WhenAll(running).Within("the end of the balancer's connections");
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) running.Add(ServeAsync(await listener.AcceptAsync()));
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The listener was closed.
        }
    }

    private async Task ServeAsync(Socket near)
    {
        using (near)
        {
            using var far = await DialAsync();
            if (far is null) return;
            near.NoDelay = far.NoDelay = true;
            await Task.WhenAll(PumpAsync(near, far), PumpAsync(far, near));
        }
    }

    private async Task<Socket?> DialAsync()
    {
        for (var attempt = 0; attempt < targets.Count; attempt++)
        {
            var target = targets[(rotates ? Interlocked.Increment(ref next) : attempt) % targets.Count];
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, target);
                return far;
            }
            catch (SocketException)
            {
                far.Dispose(); // That one does not listen: the next.
            }
        }

        return null;
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[65_536];
        try
        {
            while (await from.ReceiveAsync(buffer, stopping.Token) is > 0 and var size) await to.SendAsync(buffer.AsMemory(0, size), stopping.Token);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            from.Close();
            to.Close();
        }
    }
}
