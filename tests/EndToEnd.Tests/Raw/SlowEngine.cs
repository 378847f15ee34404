using System.Globalization;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>
/// In the place of Sail's program: waits until the test lets it start, then hands every connection on to a scripted
/// driver. So a test holds calls parked for as long as it likes, and sees what their driver gets.
/// </summary>
internal sealed class SlowEngine : IAsyncDisposable
{
    private const string Probe = SparkRpc.Service + "GatewayPing";
    private const string Unimplemented = "12";

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-engine-").FullName;

    private SlowEngine(Func<H2Stream, Task> onCall)
    {
        Driver = ScriptedDriver.Start(H2Options.Driver, call => call.Path == Probe ? RefuseAsync(call) : onCall(call));
        File.WriteAllText(Program, Script);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public ScriptedDriver Driver { get; }

    /// <summary>What clients called, without the probes of the gateway.</summary>
    public IReadOnlyList<H2Stream> Calls => [.. Driver.Calls.Where(call => call.Blocks.Count > 0 && call.Path != Probe)];

    public GatewaySetup Setup => new() { StartsDrivers = true, Engine = "sail", Settings = [$"local.sail={Program}"] };

    private string Program => Path.Combine(folder, "engine");

    private string Script => string.Create(CultureInfo.InvariantCulture, $$"""
        #!/usr/bin/env python3
        import asyncio, os, sys

        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            finally:
                writer.close()

        async def serve(reader, writer):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", {{Driver.Port}})
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

        async def main(port):
            while not os.path.exists("{{folder}}/go"):
                await asyncio.sleep(0.05)
            await (await asyncio.start_server(serve, "127.0.0.1", port)).serve_forever()

        asyncio.run(main(int(sys.argv[sys.argv.index("--port") + 1])))
        """);

    public static SlowEngine Create(Func<H2Stream, Task>? onCall = null) => new(onCall ?? ScriptedDriver.EchoAsync);

    public void Go() => File.WriteAllText(Path.Combine(folder, "go"), "");

    public async ValueTask DisposeAsync()
    {
        await Driver.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static Task RefuseAsync(H2Stream call) =>
        call.SendHeadersAsync(Grpc.ResponseHeaders(("grpc-status", Unimplemented), ("grpc-message", "no such method")), endStream: true);
}
