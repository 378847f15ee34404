using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>A start that fails, as its user sees it: soon, in words, and with nothing left of it.</summary>
internal static class FailedStart
{
    /// <summary>Much less than a start may take.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    public static async Task AssertToldAsync(KubeScene scene, GatewayProcess gateway, params string[] texts)
    {
        var told = await TellAsync(gateway, KubeScene.Team);

        Assert.All(texts, text => Assert.Contains(text, told, StringComparison.Ordinal));
        await AssertNothingIsLeftAsync(scene, gateway);
    }

    /// <summary>What a client with these headers is told.</summary>
    public static async Task<string> TellAsync(GatewayProcess gateway, params string[] headers)
    {
        await using var client = PythonConsole.Start();
        var told = await client.OpenAsync("failed", gateway.Url("ada", headers), Soon);
        Assert.StartsWith("told ", told, StringComparison.Ordinal);
        return told;
    }

    public static async Task AssertNothingIsLeftAsync(KubeScene scene, GatewayProcess gateway)
    {
        await Deadlines.UntilAsync("the end of the session", async () => (await KubeScene.SessionsOfAsync(gateway, "ada")).Count == 0);
        await Deadlines.UntilAsync("the end of what the start has left", async () => (await scene.NamesOfAsync(gateway)).Count == 0, KubeScene.Limit);
    }
}
