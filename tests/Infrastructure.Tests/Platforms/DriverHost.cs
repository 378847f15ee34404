using System.Diagnostics;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>A process of its own that starts a driver as the gateway does, to be killed by a test: this test program, running one explicit test.</summary>
public class DriverHost
{
    private const string StateVariable = "SPARK_GATEWAY_TEST_STATE";
    private const string Up = "driver is up:";

    [Fact(Explicit = true)]
    public async Task Host_OfAnotherTest_WaitsToBeKilled()
    {
        var state = Environment.GetEnvironmentVariable(StateVariable);
        Assert.SkipWhen(state is null, "Runs only as a process of another test.");
        var harness = LocalHarness.Spark(state: state);
        var spec = LocalHarness.Spec();
        var started = await harness.Platform.LaunchAsync(spec, CancellationToken.None);
        await Console.Out.WriteLineAsync($"{Up} {started.Value.Address} {harness.Tokens.ForOnDemand(spec.SessionId)}");
        await Console.In.ReadToEndAsync();
        await harness.Platform.DisposeAsync();
    }

    internal static Process Start(string state)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(DriverHost).Assembly.Location, null), ["-explicit", "only", "-method", $"{typeof(DriverHost).FullName}.{nameof(Host_OfAnotherTest_WaitsToBeKilled)}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[StateVariable] = state;
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
