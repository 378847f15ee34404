using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>All checks of the Spark fixture, straight to a driver and through the gateway to one that it starts: the same list.</summary>
public sealed class SmokeTests(SharedDrivers drivers)
{
    private const int PythonChecks = 58;
    private const int JavaChecks = 13;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Python_ThroughTheGateway_PassesWhatItPassesDirectly()
    {
        var driver = await drivers.SparkAsync();
        var direct = await PythonAsync(GatewayProcess.UrlOf(driver.Port, "smoke"));
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });

        var through = await PythonAsync(gateway.Url("smoke"));

        Assert.Equal(PythonChecks, direct.Count);
        Assert.Equal(direct, through);
    }

    [Fact]
    public async Task Jvm_ThroughTheGateway_PassesWhatItPassesDirectly()
    {
        var driver = await drivers.SparkAsync();
        var direct = await JavaAsync(GatewayProcess.UrlOf(driver.Port, "smoke"));
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true });

        var through = await JavaAsync(gateway.Url("smoke"));

        Assert.Equal(JavaChecks, direct.Count);
        Assert.Equal(direct, through);
    }

    private static async Task<IReadOnlyList<string>> PythonAsync(string url)
    {
        await using var client = PythonClient.StartFile(Fixtures.SmokeScript, url);
        return Passed(await PythonClient.GoodEndAsync(client, Limit), "PASS ");
    }

    private static async Task<IReadOnlyList<string>> JavaAsync(string url)
    {
        await using var client = JavaClient.Start([.. Fixtures.JavaArguments(Fixtures.SmokeClasses), "Smoke", url]);
        return Passed(await PythonClient.GoodEndAsync(client, Limit), "OK ");
    }

    private static IReadOnlyList<string> Passed(string output, string word) =>
        [.. output.Split('\n').Where(line => line.StartsWith(word, StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).Order(StringComparer.Ordinal)];
}
