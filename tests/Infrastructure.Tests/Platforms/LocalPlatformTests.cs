using System.Net;
using System.Net.Sockets;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Local;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>The platform with Sail, which starts at once, and with scripts in the place of spark-submit.</summary>
public class LocalPlatformTests
{
    private const string Hang = "echo still working; exec sleep 1000";

    // A driver and its child that do not listen to TERM, the child in a process group of its own.
    private const string Stubborn = "trap '' TERM; echo stubborn; perl -e 'setpgrp(0, 0); sleep 1000' & while :; do sleep 1; done";

    // A driver that does, and leaves such a child behind.
    private const string Heir = "(trap '' TERM; exec perl -e 'setpgrp(0, 0); sleep 1000') & exec sleep 1000";

    [Fact]
    public async Task Launch_Sail_IsReadyAndStopLeavesNothing()
    {
        await using var harness = LocalHarness.Sail();
        var spec = LocalHarness.Spec();

        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);

        Assert.True(started.IsOk, started.Error?.Text);
        Assert.Null(harness.Tokens.ForOnDemand(spec.SessionId));
        Assert.NotEmpty(harness.Processes());
        await harness.Platform.StopAsync(new DriverRef(spec.SessionId, spec.Name), CancellationToken.None);
        Assert.Empty(harness.Processes());
        Assert.Contains($"{spec.Name}: exited", harness.Log.Text, StringComparison.Ordinal);
        Assert.False(harness.Platform.Exits.TryRead(out _));
        await harness.Platform.StopAsync(new DriverRef(spec.SessionId, spec.Name), CancellationToken.None);
    }

    [Fact]
    public async Task ReadyDriver_Killed_IsReportedOnceAndItsPlaceIsFree()
    {
        await using var harness = LocalHarness.Sail(options => options.Local.MaxDrivers = 1);
        var spec = LocalHarness.Spec();
        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);

        ProcFs.Kill(Pid(started.Value));

        var exit = await ExitAsync(harness);
        Assert.Equal(spec.SessionId, exit.SessionId);
        Assert.Contains("signal 9", exit.Detail, StringComparison.Ordinal);
        Assert.Empty(harness.Processes());
        Assert.True((await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None)).IsOk);
        Assert.False(harness.Platform.Exits.TryRead(out _));
    }

    [Fact]
    public async Task Supervisor_Killed_TakesItsDriverAlong()
    {
        await using var harness = LocalHarness.Sail();
        var started = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        ProcFs.Kill(ProcessTable.ParentOf(Pid(started.Value)));

        await ExitAsync(harness);
        Assert.Empty(harness.Processes());
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(harness.State, "drivers")));
    }

    [Fact]
    public async Task Dispose_WithDrivers_LeavesNothing()
    {
        var harness = LocalHarness.Sail();
        await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);
        var starting = harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        await harness.Platform.DisposeAsync();

        await starting;
        Assert.Empty(harness.Processes());
        await harness.DisposeAsync();
    }

    [Fact]
    public async Task Launch_ExitsAtOnce_IsStartFailedWithMaskedLogLines()
    {
        await using var harness = LocalHarness.Script("echo \"own $SPARK_CONNECT_AUTHENTICATE_TOKEN\"; echo 'db.password=hunter2 and more'; echo gone >&2; exit 3");
        var spec = LocalHarness.Spec();

        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);

        Assert.Equal(ErrorCode.StartFailed, started.Error?.Code);
        Assert.Equal($"The driver of session {spec.Name} did not start: it ended with exit code 3. Its last log lines:\nown ***\ndb.password=*** and more\ngone", started.Error!.Text);
        Assert.Equal("own ***\ndb.password=hunter2 and more\ngone\n", await File.ReadAllTextAsync(harness.LogFile(spec)));
    }

    [Theory]
    [InlineData(Hang, "still working")]
    [InlineData(Stubborn, "stubborn")]
    [InlineData(Heir, "")]
    public async Task Launch_NeverReady_EndsAtTheStartLimit(string script, string line)
    {
        await using var harness = LocalHarness.Script(script, options =>
        {
            options.SparkConnect.StartLimitSeconds = 2;
            options.Local.StopGraceSeconds = 1;
        });

        var started = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.Equal(ErrorCode.StartFailed, started.Error?.Code);
        Assert.Contains("within 2 seconds (spark_connect.start_limit_seconds)", started.Error!.Text, StringComparison.Ordinal);
        Assert.Contains(line, started.Error.Text, StringComparison.Ordinal);
        Assert.Empty(harness.Processes());
    }

    [Theory]
    [InlineData(Stubborn, 1)]
    [InlineData(Heir, 1000)]
    public async Task KillOfTheGateway_ProcessesThatIgnoreTerm_LeavesNothing(string script, int graceSeconds)
    {
        var state = Directory.CreateTempSubdirectory("spark-gateway-local-").FullName;
        using var host = DriverHost.Start(state, script, graceSeconds);
        await DriverHost.ReadAsync(host);
        Assert.NotEmpty(ProcessTable.OfState(state));

        host.Kill();

        await ProcessTable.GoneAsync(state);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(state, "drivers")));
        Directory.Delete(state, recursive: true);
    }

    [Fact]
    public async Task Launch_Cancelled_LeavesNothing()
    {
        await using var harness = LocalHarness.Script(Hang);
        var spec = LocalHarness.Spec();
        using var cancellation = new CancellationTokenSource();
        var launch = harness.Platform.LaunchAsync(spec, cancellation.Token);
        await harness.Log.Seen($"{spec.Name}: starting");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => launch);
        Assert.Empty(harness.Processes());
    }

    [Fact]
    public async Task Stop_WhileStarting_EndsTheStart()
    {
        await using var harness = LocalHarness.Script(Hang);
        var spec = LocalHarness.Spec();
        var launch = harness.Platform.LaunchAsync(spec, CancellationToken.None);
        await harness.Log.Seen($"{spec.Name}: starting");

        await harness.Platform.StopAsync(new DriverRef(spec.SessionId, spec.Name), CancellationToken.None);

        Assert.Empty(harness.Processes());
        Assert.Contains("was stopped while it started", (await launch).Error?.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_OverTheCap_SaysWhoHoldsTheDrivers()
    {
        await using var harness = LocalHarness.Sail(options => options.Local.MaxDrivers = 2);
        var first = LocalHarness.Spec("ann");
        var second = LocalHarness.Spec("");
        await harness.Platform.LaunchAsync(first, CancellationToken.None);
        await harness.Platform.LaunchAsync(second, CancellationToken.None);

        var third = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.Equal(ErrorCode.ResourceExhausted, third.Error?.Code);
        Assert.Contains($"{first.Name} (ann), {second.Name} (no user)", third.Error!.Text, StringComparison.Ordinal);
        await harness.Platform.StopAsync(new DriverRef(first.SessionId, first.Name), CancellationToken.None);
        Assert.True((await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None)).IsOk);
    }

    [Fact]
    public async Task Launch_SameSessionTwice_LeavesTheFirstAlone()
    {
        await using var harness = LocalHarness.Sail();
        var spec = LocalHarness.Spec();
        await harness.Platform.LaunchAsync(spec, CancellationToken.None);
        var before = harness.Processes();

        var second = await harness.Platform.LaunchAsync(spec, CancellationToken.None);

        Assert.Equal(ErrorCode.Internal, second.Error?.Code);
        Assert.Equal(before, harness.Processes());
    }

    [Fact]
    public async Task Launch_PortRefusedByTheSystem_TriesAnother()
    {
        var script = PortScript("if mkdir \"$SPARK_HOME/once\"; then echo 'java.net.BindException: Address already in use'; exit 1; fi");
        await using var harness = LocalHarness.Script(script);

        var started = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.True(started.IsOk, started.Error?.Text);
        Assert.Contains("was taken by another program", harness.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_StrangerOnThePort_IsNotTakenForTheDriver()
    {
        var script = PortScript("if mkdir \"$SPARK_HOME/once\"; then exec sleep 1000; fi");
        await using var harness = LocalHarness.Script(script, options => options.SparkConnect.StartLimitSeconds = 20);
        var spec = LocalHarness.Spec();
        var launch = harness.Platform.LaunchAsync(spec, CancellationToken.None);
        await harness.Log.Seen($"{spec.Name}: starting");
        var settings = await File.ReadAllLinesAsync(Path.Combine(harness.State, "drivers", spec.Name.Name, "spark.conf"));
        var port = int.Parse(settings.Single(line => line.StartsWith("spark.connect.grpc.binding.port=", StringComparison.Ordinal)).Split('=')[1]);
        using var stranger = new TcpListener(IPAddress.Loopback, port);
        stranger.Start();

        var started = await launch;

        Assert.True(started.IsOk, started.Error?.Text);
        Assert.NotEqual($"127.0.0.1:{port}", started.Value.Address);
        Assert.Contains($"Port {port}", harness.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_PortsAllTaken_IsStartFailed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var harness = LocalHarness.Sail(options => options.Local.PortRange = $"{port}-{port}");

        var started = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.Equal(ErrorCode.StartFailed, started.Error?.Code);
        Assert.Contains("local.port_range", started.Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_NoEngine_IsStartFailedAndFreesThePlace()
    {
        await using var harness = new LocalHarness(options =>
        {
            options.Local.Engine = "sail";
            options.Local.Sail = "no-such-program";
            options.Local.MaxDrivers = 1;
        });

        await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);
        var again = await harness.Platform.LaunchAsync(LocalHarness.Spec(), CancellationToken.None);

        Assert.Equal(ErrorCode.StartFailed, again.Error?.Code);
        Assert.Contains("local.sail", again.Error!.Text, StringComparison.Ordinal);
    }

    /// <summary>A spark-submit that does something the first time, and serves with Sail otherwise.</summary>
    private static string PortScript(string first) =>
        $"{first}\nexec '{SparkFixture.Sail}' spark server --ip 127.0.0.1 --port \"$(sed -n 's/^spark.connect.grpc.binding.port=//p' spark.conf)\"";

    private static int Pid(RunningDriver driver) => int.Parse(driver.RuntimeId.Split('-')[0]);

    private static async Task<DriverExit> ExitAsync(LocalHarness harness)
    {
        using var patience = new CancellationTokenSource(LocalHarness.Patience);
        return await harness.Platform.Exits.ReadAsync(patience.Token);
    }
}
