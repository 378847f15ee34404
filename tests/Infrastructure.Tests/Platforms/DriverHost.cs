using System.Diagnostics;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>A process of its own that starts a driver as the gateway does, to be killed by a test: this test program, running one explicit test.</summary>
public class DriverHost
{
    private const string StateVariable = "SPARK_GATEWAY_TEST_STATE";
    private const string ScriptVariable = "SPARK_GATEWAY_TEST_SCRIPT";
    private const string GraceVariable = "SPARK_GATEWAY_TEST_GRACE";
    private const string Up = "driver is up:";

    [Fact(Explicit = true)]
    public async Task Host_OfAnotherTest_WaitsToBeKilled()
    {
        var state = Environment.GetEnvironmentVariable(StateVariable);
        Assert.SkipWhen(state is null, "Runs only as a process of another test.");
        var script = Environment.GetEnvironmentVariable(ScriptVariable);
        var harness = script is null ? LocalHarness.Spark(state: state) : LocalHarness.Script(script, options => options.Local.StopGraceSeconds = int.Parse(Environment.GetEnvironmentVariable(GraceVariable)!), state);
        var spec = LocalHarness.Spec();
        var launch = harness.Platform.LaunchAsync(spec, CancellationToken.None);
        var address = script is null ? (await launch).Value.Address : "none";
        await harness.Log.Seen($"{spec.Name}: starting");
        await Console.Out.WriteLineAsync($"{Up} {address} {harness.Tokens.ForOnDemand(spec.SessionId)}");
        await Console.In.ReadToEndAsync();
        await harness.Platform.DisposeAsync();
    }

    internal static Process Start(string state, string? script = null, int graceSeconds = 5)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(DriverHost).Assembly.Location, null), ["-explicit", "only", "-method", $"{typeof(DriverHost).FullName}.{nameof(Host_OfAnotherTest_WaitsToBeKilled)}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[StateVariable] = state;
        start.Environment[GraceVariable] = graceSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (script is not null) start.Environment[ScriptVariable] = script;
        return Process.Start(start)!;
    }

    internal static async Task<(string Address, string Token)> ReadAsync(Process host)
    {
        while (await host.StandardOutput.ReadLineAsync().WaitAsync(LocalHarness.Patience) is { } line)
        {
            if (line.Split(Up) is [_, var told] && told.Trim().Split(' ') is [var address, var token]) return (address, token);
        }

        throw new InvalidOperationException("The host ended without a driver.");
    }
}
