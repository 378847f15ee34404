using System.Globalization;
using System.Net;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>
/// In the place of Sail's program, and as small as a process can be: hands every connection on to one scripted driver, from a loopback
/// address that holds its process id. So each answer tells which driver process gave it.
/// </summary>
internal sealed class TellingEngine : IAsyncDisposable
{
    /// <summary>A header that keeps a call open behind its first message, until the test ends it.</summary>
    public const string Open = "x-open";

    private const string Probe = SparkRpc.Service + "GatewayPing";
    private const string Unimplemented = "12";

    /// <summary>Of Spark's replies: the driver's own id of the session, which is another one for each driver.</summary>
    private const int ServerSideId = 15;

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-engine-").FullName;

    private TellingEngine()
    {
        Driver = ScriptedDriver.Start(H2Options.Driver, AnswerAsync);
        File.WriteAllText(Program, Script);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public ScriptedDriver Driver { get; }

    public GatewaySetup Setup => new() { StartsDrivers = true, Engine = "sail", Settings = [$"local.sail={Program}"] };

    private string Program => Path.Combine(folder, "engine");

    private string Gate => Path.Combine(folder, "go");

    private string Script => string.Create(CultureInfo.InvariantCulture, $$"""
        #!/usr/bin/env -S python3 -I -S
        import os, select, socket, sys, time

        # By the name of the program whose place it takes.
        with open("/proc/self/comm", "w") as name:
            name.write("sail")
        while not os.path.exists("{{Gate}}"):
            time.sleep(0.05)
        pid = os.getpid()
        here = "127.%d.%d.%d" % (64 + (pid >> 16), pid >> 8 & 255, pid & 255)
        entrance = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), backlog=256)
        poll, ends = select.poll(), {}
        poll.register(entrance, select.POLLIN)

        def end(number):
            for one in (number, ends[number][1].fileno()):
                poll.unregister(one)
                ends.pop(one)[0].close()

        while True:
            for number, _ in poll.poll():
                if number == entrance.fileno():
                    near = entrance.accept()[0]
                    far = socket.create_connection(("127.0.0.1", {{Driver.Port}}), source_address=(here, 0))
                    for one, other in ((near, far), (far, near)):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        ends[one.fileno()] = (one, other)
                        poll.register(one, select.POLLIN)
                elif number in ends:
                    one, other = ends[number]
                    try:
                        data = one.recv(65536)
                        other.sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        end(number)
        """);

    /// <summary>Its processes open their ports at once, or only after Go.</summary>
    public static TellingEngine Create(bool waits = false)
    {
        var engine = new TellingEngine();
        if (!waits) engine.Go();
        return engine;
    }

    public void Go() => File.WriteAllText(Gate, "");

    /// <summary>Ends the open calls of that client session as a driver does whose query is done.</summary>
    public async Task FinishAsync(string session)
    {
        foreach (var call in Driver.Calls.Where(call => call.Blocks.Count > 0 && call.Headers[Open] is not null && !call.IsOver))
        {
            if (Grpc.Read(call.Body, out _) is { } request && SparkRpc.SessionOf(request) == session) await call.SendHeadersAsync(Grpc.Trailers(), endStream: true);
        }
    }

    /// <summary>The process id of the driver that gave this answer.</summary>
    public static int DriverOf(ReadOnlySpan<byte> answer) => int.Parse(Proto.FindText(answer, ServerSideId) ?? "0", CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await Driver.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task AnswerAsync(H2Stream call)
    {
        if (call.Path == Probe)
        {
            await call.SendHeadersAsync(Grpc.ResponseHeaders(("grpc-status", Unimplemented), ("grpc-message", "no such method")), endStream: true);
            return;
        }

        var from = ((IPEndPoint)call.Connection.PeerAddress!).Address.GetAddressBytes();
        var pid = ((from[1] - 64) << 16) | (from[2] << 8) | from[3];
        var answer = SparkRpc.Response(SparkRpc.SessionOf(await call.MessageAsync()), Proto.Text(ServerSideId, pid.ToString(CultureInfo.InvariantCulture)));
        await call.EndAsync();
        await call.SendHeadersAsync(Grpc.ResponseHeaders());
        await call.SendMessageAsync(answer);
        if (call.Headers[Open] is null) await call.SendHeadersAsync(Grpc.Trailers(), endStream: true);
    }
}
