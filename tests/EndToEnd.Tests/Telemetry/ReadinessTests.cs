using System.Net;
using System.Text.Json;
using Npgsql;
using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>/readyz of a running gateway, with each reason that it can give.</summary>
public sealed class ReadinessTests : IDisposable
{
    private readonly HttpClient http = new();
    private readonly Marker files = new();

    public void Dispose()
    {
        http.Dispose();
        files.Dispose();
    }

    [Fact]
    public async Task Ready_Gateway_NamesWhatEachComponentRestsOn()
    {
        await using var engine = SlowEngine.Create();
        await using var gateway = await RawGateway.StartAsync(engine.Setup);

        var (status, text) = await AskAsync(gateway, "");

        Assert.Equal(HttpStatusCode.OK, status);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("ready", lines[0]);
        Assert.Equal(
            ["listeners: ready: spark_connect on port " + gateway.Process.Port + ", 0 of 10000 connections", "platform: ready: local, Sail", "process: ready: ok", "store: ready: ok"],
            lines[1..].Order());
    }

    [Fact]
    public async Task Ready_StoreGone_IsToldAndTheReplicaStaysInTheBalancer()
    {
        await using var database = await PostgresServer.NewDatabaseAsync();
        var real = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var way = TcpBalancer.Start(real.Port);
        await File.WriteAllTextAsync(files.Path("store"), new NpgsqlConnectionStringBuilder(database.ConnectionString) { Host = "127.0.0.1", Port = way.Port }.ConnectionString);
        string[] store = ["store.kind=postgres", $"store.connection_string_file={files.Path("store")}", "store.statement_timeout_seconds=1", "store.lock_timeout_seconds=1"];
        await using (var migration = OwnedProcess.Start("the migration", Path.Combine(AppContext.BaseDirectory, "spark-gateway"), ["migrate", .. store.SelectMany(set => new[] { "--set", set })], []))
            Assert.True(await migration.ExitAsync(Deadlines.Transfer) == 0, migration.Output);
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = store }, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var session = RawGateway.NewSession();
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(session, "ada"), RawGateway.To(0))).StatusAsync());

        await way.DisposeAsync();

        await Deadlines.UntilAsync("the word of the store", async () => (await ComponentAsync(gateway, "store")).Degraded, Deadlines.Transfer);
        var (status, text) = await AskAsync(gateway, "");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("degraded\n", text, StringComparison.Ordinal);
        Assert.True((await ComponentAsync(gateway, "store")).Ready);
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(session, "ada"))).StatusAsync());
        Assert.DoesNotContain("Password", text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Ready_EngineGone_TakesTheReplicaOutUntilItIsBack()
    {
        var program = files.Path("engine");
        await WriteProgramAsync(program);
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySetup { StartsDrivers = true, Engine = "sail", Settings = [$"local.sail={program}"] });
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(gateway.AdminPort, "")).Status);

        File.Delete(program);

        var (status, text) = await AskAsync(gateway.AdminPort, "");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("platform: not ready: no driver can be started: Sail was not found", text, StringComparison.Ordinal);
        await WriteProgramAsync(program);
        await Deadlines.UntilAsync("the engine again", async () => (await AskAsync(gateway.AdminPort, "")).Status == HttpStatusCode.OK, Deadlines.Transfer);
    }

    [Fact]
    public async Task Ready_EngineGoneWithAttachedSessions_IsDegraded()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(
            new GatewaySetup { StartsDrivers = true, Engine = "sail", Settings = [$"local.sail={files.Path("none")}"] }, driver.Address);

        var platform = await ComponentAsync(gateway, "platform");

        Assert.Equal((true, true), (platform.Ready, platform.Degraded));
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(gateway, "")).Status);
    }

    [Fact]
    public async Task Ready_AllConnectionsTaken_TakesTheReplicaOut()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(new GatewaySetup { Settings = ["relay.max_connections=1"] }, driver.Address);
        await using (var client = await gateway.ConnectAsync())
        {
            await Deadlines.UntilAsync("the full listener", async () => !(await ComponentAsync(gateway, "listeners")).Ready);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await AskAsync(gateway, "")).Status);
        }

        await Deadlines.UntilAsync("room again", async () => (await ComponentAsync(gateway, "listeners")).Ready);
    }

    [Fact]
    public async Task Draining_Gateway_IsNotReadyFirstAndAnswersToTheEnd()
    {
        await using var driver = ScriptedDriver.Start(onCall: async call =>
        {
            await call.MessageAsync();
            await call.SendHeadersAsync(Grpc.ResponseHeaders());
        });
        await using var gateway = await RawGateway.StartAsync(
            new GatewaySetup { Settings = ["spark_connect.drain_notice_seconds=3", "spark_connect.drain_seconds=60"] }, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var open = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(RawGateway.NewSession(), "ada"), RawGateway.To(0));
        await open.HeadersAsync();

        gateway.Process.Process.Signal("TERM");

        await Deadlines.UntilAsync("the word that it stops", async () => !(await ComponentAsync(gateway, "process")).Ready);
        Assert.True((await ComponentAsync(gateway, "listeners")).Ready, "connections are refused before a balancer could know");
        await Deadlines.UntilAsync("the end of the notice", async () => !(await ComponentAsync(gateway, "listeners")).Ready);
        Assert.Equal(1, await gateway.Process.MetricAsync("spark_connect_open_calls"));
        var (status, text) = await AskAsync(gateway, "?format=json");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping"), (status, Component(text, "process").Reason));
        await Assert.Single(driver.Calls).SendHeadersAsync(Grpc.Trailers(), endStream: true);
        Assert.Equal(0, await open.StatusAsync());
        Assert.Equal(0, await gateway.Process.Process.ExitAsync());
    }

    private static async Task WriteProgramAsync(string program)
    {
        await File.WriteAllTextAsync(program, "#!/bin/sh\nexec sleep 600\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private Task<(HttpStatusCode Status, string Text)> AskAsync(RawGateway gateway, string query) => AskAsync(gateway.Process.AdminPort, query);

    private async Task<(HttpStatusCode Status, string Text)> AskAsync(int port, string query)
    {
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz{query}"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<(bool Ready, bool Degraded, string Reason)> ComponentAsync(RawGateway gateway, string name) => Component((await AskAsync(gateway, "?format=json")).Text, name);

    private static (bool Ready, bool Degraded, string Reason) Component(string json, string name)
    {
        using var report = JsonDocument.Parse(json);
        var component = report.RootElement.GetProperty("components").EnumerateArray().Single(component => component.GetProperty("name").GetString() == name);
        return (component.GetProperty("ready").GetBoolean(), component.GetProperty("degraded").GetBoolean(), component.GetProperty("reason").GetString()!);
    }
}
