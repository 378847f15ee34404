using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>A gateway that knows peers of a test as attached sessions driver-0, driver-1 and so on.</summary>
internal sealed class RawGateway : IAsyncDisposable
{
    public const string Namespace = "sjns-test";

    private RawGateway(GatewayProcess process) => Process = process;

    public GatewayProcess Process { get; }

    public static Task<RawGateway> StartAsync(params IEnumerable<ScriptedDriver> drivers) => StartAsync(new GatewaySetup(), drivers.Select(driver => driver.Address));

    public static async Task<RawGateway> StartAsync(GatewaySetup setup, params IEnumerable<string> addresses) =>
        new(await GatewayProcess.StartAsync(setup with { Attached = [.. addresses.Select((address, number) => new Attached(Name(number), Namespace, address))] }));

    public Task<RawH2Client> ConnectAsync(H2Options? options = null, int firstId = 1) => RawH2Client.ConnectAsync(Process.Port, options, firstId);

    /// <summary>Headers that name one of the drivers.</summary>
    public static HeaderField[] To(int driver, params IEnumerable<HeaderField> more) => [("x-spark-session-id", Name(driver)), ("x-spark-namespace", Namespace), .. more];

    public static string Name(int driver) => $"driver-{driver}";

    /// <summary>A client session id that nobody used before.</summary>
    public static string NewSession() => Guid.NewGuid().ToString();

    /// <summary>Does a small call, on a connection of its own; for "it still serves".</summary>
    public async Task ServesAsync(int driver = 0)
    {
        await using var client = await ConnectAsync();
        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(NewSession(), "ada"), To(driver));
        Assert.True(await call.StatusAsync() == 0, $"A small call failed: {call}");
    }

    /// <summary>Open sockets and the like of the gateway: none may stay behind a client. Files proper are left out: libraries are loaded late.</summary>
    public int OpenFiles() => new DirectoryInfo($"/proc/{Process.Process.Pid}/fd").EnumerateFileSystemInfos().Count(entry => entry.LinkTarget is { } target && target[0] != '/');

    public Task OpenFilesBackAsync(int before) => Deadlines.UntilAsync($"the gateway's open files back at {before}", () => OpenFiles() <= before);

    public async ValueTask DisposeAsync() => await Process.DisposeAsync();
}

/// <summary>One gateway with one driver that answers everything, for tests of a class that leave nothing behind.</summary>
public sealed class EchoGateway : IAsyncLifetime
{
    private readonly ScriptedDriver driver = ScriptedDriver.StartEcho();
    private readonly HashSet<H2Stream> seen = [];
    private RawGateway? gateway;

    /// <summary>The first line of each test: what others did is forgotten.</summary>
    internal RawGateway Begin()
    {
        seen.UnionWith(driver.Calls);
        return gateway!;
    }

    /// <summary>What has reached the driver in this test.</summary>
    public IEnumerable<H2Stream> NewCalls() => driver.Calls.Where(call => !seen.Contains(call));

    public async ValueTask InitializeAsync() =>
        gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["relay.slow_peer_seconds=3600"] }, driver.Address);

    public async ValueTask DisposeAsync()
    {
        if (gateway is not null) await gateway.DisposeAsync();
        await driver.DisposeAsync();
    }
}
