using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using SparkGateway.Testing;

namespace SparkGateway.Api.Tests;

public sealed class ServeTests
{
    [Fact]
    public async Task Serve_Ready_PrintsTheLineToPasteAndNothingElse()
    {
        var (gateway, port, admin) = await Gateway.ServeAsync();
        using (gateway)
        using (admin)
        {
            Assert.Equal(2, gateway.ReadyLines.Count);
            Assert.Equal($"SparkSession.builder.remote(\"sc://localhost:{port}\").getOrCreate()", gateway.ReadyLines[1]);
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);

            var run = await gateway.SignalAsync("TERM");

            Assert.Equal((0, ""), (run.ExitCode, run.Out));
        }
    }

    [Fact]
    public async Task Serve_OperatorsPorts_AnswerHealthReadinessAndMetrics()
    {
        var health = Ports.Free();
        var (gateway, _, admin) = await Gateway.ServeAsync("--set", $"health.port={health}");
        using (gateway)
        using (admin)
        using (var probe = new HttpClient { BaseAddress = new($"http://localhost:{health}") })
        {
            foreach (var client in (HttpClient[])[admin, probe])
            {
                Assert.Equal("ok\n", await client.GetStringAsync("/healthz"));
                Assert.Contains("service_name=\"spark-gateway\"", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
                using var report = JsonDocument.Parse(await client.GetStringAsync("/readyz?format=json"));
                Assert.True(report.RootElement.GetProperty("ready").GetBoolean());
                Assert.Contains(report.RootElement.GetProperty("components").EnumerateArray(), component => component.GetProperty("name").GetString() == "process");
                Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("/nothing", UriKind.Relative))).StatusCode);
            }
        }
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Serve_Signal_EndsWithExitCode0AndNoTrace(string signal)
    {
        var (gateway, _, admin) = await Gateway.ServeAsync();
        using (gateway)
        using (admin)
        {
            var run = await gateway.SignalAsync(signal);

            Assert.Equal(0, run.ExitCode);
            Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("spark_connect")]
    [InlineData("admin")]
    [InlineData("health")]
    public async Task Serve_PortInUse_NamesThePortAndTheKey(string section)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;

        var run = await Gateway.RunAsync(["serve", .. Gateway.ServeArguments(Ports.Free(), Ports.Free()), "--set", $"{section}.port={port}"]);

        VerbTests.AssertRefused(run, $"Port {port} is already in use");
        Assert.Contains($"{section}.port", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_AddressOfAnotherMachine_NamesTheKey()
    {
        var run = await Gateway.RunAsync(["serve", .. Gateway.ServeArguments(Ports.Free(), Ports.Free()), "--set", "spark_connect.bind=203.0.113.7"]);

        VerbTests.AssertRefused(run, "no address 203.0.113.7");
        Assert.Contains("spark_connect.bind", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_StateDirThatCannotBeMade_NamesTheKey()
    {
        var run = await Gateway.RunAsync(["serve", .. Gateway.ServeArguments(Ports.Free(), Ports.Free()), "--set", $"state_dir={Gateway.Program}/state"]);

        VerbTests.AssertRefused(run, "set state_dir");
    }

    [Fact]
    public async Task Serve_JsonLog_IsOneObjectForEachLine()
    {
        var (gateway, _, admin) = await Gateway.ServeAsync("--set", "log.format=json", "--set", "vault_mount_path=secret");
        using (gateway)
        using (admin)
        {
            var run = await gateway.SignalAsync("TERM");

            Assert.NotEmpty(run.ErrorLines);
            var messages = run.ErrorLines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
            Assert.All(messages, message => Assert.EndsWith("Z", message.GetProperty("time").GetString(), StringComparison.Ordinal));
            Assert.Contains(messages, message => message.GetProperty("message").GetString()!.Contains("vault_mount_path: has no effect", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Serve_TextLog_IsOneLineForEachEntryInUtc()
    {
        var (gateway, _, admin) = await Gateway.ServeAsync();
        using (gateway)
        using (admin)
        {
            var run = await gateway.SignalAsync("TERM");

            Assert.All(run.ErrorLines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \w+: ", line));
        }
    }
}
