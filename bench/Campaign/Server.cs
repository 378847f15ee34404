using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Campaign;

/// <summary>A program that serves until it is disposed; what it prints goes to a file.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private static int started;

    private readonly Process process;

    private Server(Process process) => this.process = process;

    public IReadOnlyList<int> Pids => ProcessTree.Members(process.Id);

    /// <summary>Started, and its port answers.</summary>
    public static async Task<Server> StartAsync(string folder, string name, string program, IEnumerable<string> arguments, int port, CancellationToken stop)
    {
        if (await Answers(port, stop)) throw new BenchException($"Port {port} is in use already; the campaign needs it for {name}.");
        var log = Path.Combine(folder, name.Replace(' ', '-') + ".log");
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", log, program, .. arguments]) { WorkingDirectory = folder };
        start.Environment["SPARK_GATEWAY_STATE_DIR"] = Path.Combine(folder, $"state-{started++}");
        start.Environment["PATH"] += ":/usr/sbin";
        var server = new Server(Process.Start(start)!);
        var began = Stopwatch.GetTimestamp();
        while (!await Answers(port, stop))
        {
            if (server.process.HasExited || Stopwatch.GetElapsedTime(began) > StartLimit)
            {
                await server.DisposeAsync();
                throw new BenchException($"{name} did not start:\n{await File.ReadAllTextAsync(log, stop)}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<bool> Answers(int port, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
