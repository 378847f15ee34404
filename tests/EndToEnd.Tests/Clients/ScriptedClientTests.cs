using System.IO.Compression;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Clients;

/// <summary>What clients send that are not here to run: PySpark 3.5 as it was observed, and a clone behind a compressing driver.</summary>
public sealed class ScriptedClientTests
{
    private const string Name = "my-spark-app";
    private const string Space = "sjns-data-control";
    private const int ServerSideSessionId = 4;
    private const string Prefix = "spark.connect.grpc.header.";

    [Fact]
    public async Task PySpark35_NamesItsSessionByConfig_IsBoundByItsFirstQuery()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await StartAsync(driver);
        await using var client = await RawH2Client.ConnectAsync(gateway.Port);
        var session = $"{Guid.NewGuid()}";

        // Each key in a call of its own, the whole list twice, spark.remote first.
        (string, string)[] pairs = [("spark.remote", $"sc://localhost:{gateway.Port}"), ($"{Prefix}x-spark-session-id", Name), ($"{Prefix}x-spark-namespace", Space)];
        foreach (var (key, value) in pairs.Concat(pairs))
        {
            var set = await client.CallAsync(SparkRpc.Config, ConfigSet35(session, key, value));
            var reply = await set.MessageAsync();
            Assert.Equal(session, SparkRpc.SessionOf(reply));
            Assert.Null(Proto.Find(reply, ServerSideSessionId));
            Assert.Equal(0, await set.StatusAsync());
        }

        Assert.Empty(driver.Calls);
        var query = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada", Proto.Bytes(3, new byte[20])));

        Assert.Equal(session, SparkRpc.SessionOf(await query.MessageAsync()));
        Assert.Equal(0, await query.StatusAsync());
        Assert.Equal([SparkRpc.ExecutePlan], driver.Calls.Select(call => call.Path));
    }

    [Fact]
    public async Task PySpark35_NamesItsSessionInItsUrl_ItsConfigReachesTheDriver()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await StartAsync(driver);
        await using var client = await RawH2Client.ConnectAsync(gateway.Port);
        var session = $"{Guid.NewGuid()}";

        var set = await client.CallAsync(SparkRpc.Config, ConfigSet35(session, "spark.remote", "sc://localhost"), ("x-spark-session-id", Name), ("x-spark-namespace", Space));

        Assert.Equal(0, await set.StatusAsync());
        Assert.Equal([SparkRpc.Config], driver.Calls.Select(call => call.Path));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Clone_OfABoundSession_LeadsToTheSameDriver(bool compressed, bool namedByClient)
    {
        var (session, clone) = ($"{Guid.NewGuid()}", $"{Guid.NewGuid()}");
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await StartAsync(driver);
        await using var client = await RawH2Client.ConnectAsync(gateway.Port);
        byte[][] newId = namedByClient ? [Proto.Text(4, clone)] : [];
        var cloning = await client.CallAsync(SparkRpc.CloneSession, SparkRpc.Request(session, "ada", newId), ("x-spark-session-id", Name));
        var taken = await driver.CallAsync(SparkRpc.CloneSession);
        await taken.SendHeadersAsync(Grpc.ResponseHeaders(compressed ? [("grpc-encoding", "gzip")] : []));
        var reply = SparkRpc.Response(session, Proto.Text(2, $"{Guid.NewGuid()}"), Proto.Text(3, clone), Proto.Text(4, $"{Guid.NewGuid()}"));
        await taken.SendDataAsync(compressed ? Grpc.Frame(Zip(reply), compressed: true) : Grpc.Frame(reply));
        await taken.SendHeadersAsync(Grpc.Trailers(), endStream: true);
        Assert.Equal(0, await cloning.StatusAsync());

        // The clone says nothing about where it belongs.
        var query = await client.CallAsync(SparkRpc.AnalyzePlan, SparkRpc.Request(clone, "ada"));
        await (await driver.CallAsync(SparkRpc.AnalyzePlan)).AnswerAsync(SparkRpc.Response(clone));

        Assert.Equal(0, await query.StatusAsync());
    }

    internal static byte[] ConfigSet35(string session, string key, string value) => SparkRpc.Request(
        session, "ada",
        Proto.Bytes(3, Proto.Bytes(1, Proto.Bytes(1, [.. Proto.Text(1, key), .. Proto.Text(2, value)]))),
        Proto.Text(4, "_SPARK_CONNECT_PYTHON spark/3.5.9 os/linux python/3.11.7"));

    private static byte[] Zip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var zip = new GZipStream(zipped, CompressionLevel.Optimal)) zip.Write(bytes);
        return zipped.ToArray();
    }

    private static Task<GatewayProcess> StartAsync(ScriptedDriver driver) =>
        GatewayProcess.StartAsync(new GatewaySetup { Attached = [new Attached(Name, Space, driver.Address)] });
}
