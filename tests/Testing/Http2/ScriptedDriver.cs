using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing.Http2;

/// <summary>
/// An h2c server under a test's control, in the place of a Spark driver. Calls are handed to the handler that the test
/// gives, or wait until the test takes them.
/// </summary>
public sealed class ScriptedDriver : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly H2Options options;
    private readonly Func<H2Stream, Task>? onCall;
    private readonly Lock gate = new();
    private readonly List<DriverSide> connections = [];
    private readonly List<H2Stream> waiting = [];
    private readonly ConcurrentBag<Task> handling = [];
    private readonly Signal changed = new();
    private readonly Task accepting;

    private ScriptedDriver(int port, H2Options options, Func<H2Stream, Task>? onCall)
    {
        this.options = options;
        this.onCall = onCall;
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(1_024);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        accepting = AcceptAsync();
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public IReadOnlyList<H2Connection> Connections
    {
        get
        {
            lock (gate) return [.. connections];
        }
    }

    /// <summary>All calls of all connections.</summary>
    public IReadOnlyList<H2Stream> Calls => [.. Connections.SelectMany(connection => connection.Streams)];

    /// <param name="onCall">Called with each new call once its headers are there; null: the test takes calls with CallAsync.</param>
    /// <param name="port">0 takes a free one.</param>
    public static ScriptedDriver Start(H2Options? options = null, Func<H2Stream, Task>? onCall = null, int port = 0) => new(port, options ?? H2Options.Driver, onCall);

    /// <summary>A driver that answers every call with its session id, as most of Spark's replies begin.</summary>
    public static ScriptedDriver StartEcho(H2Options? options = null) => Start(options, EchoAsync);

    public static async Task EchoAsync(H2Stream call)
    {
        var request = await call.MessageAsync();
        await call.EndAsync();
        await call.AnswerAsync(SparkRpc.Response(SparkRpc.SessionOf(request)));
    }

    /// <summary>Takes the oldest waiting call, of that path if one is given.</summary>
    public async Task<H2Stream> CallAsync(string? path = null, TimeSpan? limit = null)
    {
        H2Stream? call = null;
        await changed.WaitAsync(() => (call = TakeWaiting(path)) is not null, () => $"a call {path}", limit);
        return call!;
    }

    /// <summary>The connection with that number, counted from 0.</summary>
    public async Task<H2Connection> ConnectionAsync(int number = 0, TimeSpan? limit = null)
    {
        await changed.WaitAsync(() => Connections.Count > number, () => $"connection {number} to the driver", limit);
        return Connections[number];
    }

    /// <summary>New connections are refused; those that are there live on.</summary>
    public void StopListening() => listener.Close();

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await accepting;
        foreach (var connection in Connections) await connection.DisposeAsync();
        await Task.WhenAll(handling).Within("the end of the driver's handlers");
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var side = new DriverSide(await listener.AcceptAsync(), options) { Opened = Receive };
                lock (gate) connections.Add(side);
                changed.Pulse();
                handling.Add(side.GreetAsync());
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The listener was closed.
        }
    }

    private void Receive(H2Stream call)
    {
        if (onCall is not null)
        {
            handling.Add(HandleAsync(call, onCall));
            return;
        }

        lock (gate) waiting.Add(call);
        changed.Pulse();
    }

    /// <summary>A call or connection that the other side broke off is no fault of the script.</summary>
    private static async Task HandleAsync(H2Stream call, Func<H2Stream, Task> handler)
    {
        await Task.Yield();
        try
        {
            await handler(call);
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException && call.IsOver)
        {
            // The test looks at the call's state.
        }
    }

    private H2Stream? TakeWaiting(string? path)
    {
        lock (gate)
        {
            var call = waiting.FirstOrDefault(one => path is null || one.Path == path);
            if (call is not null) waiting.Remove(call);
            return call;
        }
    }

    private sealed class DriverSide(Socket socket, H2Options options) : H2Connection(socket, options)
    {
        public async Task GreetAsync()
        {
            try
            {
                await StartAsync(isServer: true);
            }
            catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException)
            {
                // A peer that is gone before it was greeted, as probes are.
            }
        }
    }
}
