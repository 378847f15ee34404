using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace SparkGateway.Api.Tests;

public sealed class SessionsVerbTests(AdminGateway gateway) : IClassFixture<AdminGateway>
{
    [Theory]
    [InlineData("list", "--team", "--user", "--namespace", "--state", "--limit", "--watch", "--interval")]
    [InlineData("describe", "<ID>")]
    [InlineData("open", "--team", "--environment")]
    [InlineData("close", "<ID>", "--note")]
    [InlineData("extend", "<ID>", "--minutes")]
    [InlineData("logs", "<ID>", "--lines")]
    public async Task Help_OfEachVerb_NamesItsOptions(string verb, params string[] more)
    {
        var run = await Gateway.RunAsync("sessions", verb, "--help");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All((string[])["--url", "--token-file", "--as", "--output", "--config", "--set", .. more], word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_Table_HasAHeaderAndARowForEachSessionOfAllPages()
    {
        var run = await RunAsync("sessions", "list", "--namespace", "byod");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("NAMESPACE  NAME   STATE", lines[0], StringComparison.Ordinal);
        Assert.Equal(5, lines.Count(line => line.StartsWith("byod       app-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task List_Json_IsOneDocument()
    {
        var run = await RunAsync("sessions", "list", "--namespace", "byod", "--output", "json", "--limit", "4");

        using var document = JsonDocument.Parse(run.Out);
        Assert.Equal(4, document.RootElement.GetArrayLength());
        Assert.Contains("there are more than 4 sessions (--limit)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_ByTheConfiguration_FindsGatewayAndToken()
    {
        var run = await Gateway.RunAsync("sessions", "list", "--set", $"admin.port={gateway.Url.Port}", "--set", $"state_dir={gateway.StateDir}", "--state", "all");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("app-1", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_Watch_Describe_Close_ShowTheLifeOfASession()
    {
        using var watch = Gateway.Start(gateway.Arguments("sessions", "list", "--watch", "--interval", "1", "--output", "json"));
        await watch.LineAsync("app-1");

        var opened = await RunAsync("sessions", "open");
        var name = opened.Out.Split('\n').First(line => line.StartsWith("session ", StringComparison.Ordinal)).Split(' ')[^1];
        Assert.Contains($"SparkSession.builder.remote(\"sc://localhost:{gateway.SparkPort}/;session_id=", opened.Out, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"starting\"", await watch.LineAsync(name.Split('/')[1]), StringComparison.Ordinal);

        var described = await RunAsync("sessions", "describe", name);
        Assert.Contains("(unclaimed)", described.Out, StringComparison.Ordinal);
        Assert.Matches(@"open\s+admin as jane \(unverified\)", described.Out);

        var closed = await RunAsync("sessions", "close", name, "--note", "not needed");
        Assert.Contains("closed_by_operator: admin as jane (unverified): not needed", closed.Out, StringComparison.Ordinal);
        Assert.Contains("\"end_reason\":\"closed_by_operator\"", await watch.LineAsync(name.Split('/')[1]), StringComparison.Ordinal);
        Assert.StartsWith("It was over before:", (await RunAsync("sessions", "close", name)).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "There is no session ns/none", "describe", "ns/none")]
    [InlineData(1, "its driver belongs to somebody else", "logs", "byod/app-1")]
    [InlineData(1, "has no time limit", "extend", "byod/app-1", "--minutes", "5")]
    [InlineData(2, "minutes must be 1 to 1440", "extend", "byod/app-1", "--minutes", "0")]
    [InlineData(2, "A session is named by its row id", "close", "nonsense")]
    [InlineData(2, "state must be one of live", "list", "--state", "gone")]
    [InlineData(2, "'spark-gateway sessions list --help'", "list", "--stat", "x")]
    [InlineData(2, "'--minutes' is required", "extend", "byod/app-1")]
    public async Task Verb_GatewayOrArgumentsSayNo_IsOneSentenceAndAnExitCode(int exitCode, string text, params string[] verb)
    {
        var run = await RunAsync(["sessions", .. verb]);

        Assert.Equal((exitCode, ""), (run.ExitCode, run.Out));
        Assert.Contains(text, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_SeveralFaults_IsALineForEach()
    {
        var run = await RunAsync("sessions", "list", "--team", "A B", "--state", "gone");

        Assert.Equal((2, 2), (run.ExitCode, run.ErrorLines.Length));
    }

    [Fact]
    public async Task Verb_NoGateway_SaysWhereItLooked()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var url = $"http://127.0.0.1:{((IPEndPoint)closed.LocalEndPoint!).Port}";

        var run = await Gateway.RunAsync("sessions", "list", "--url", url, "--token-file", gateway.TokenFile);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"No gateway answers at {url}", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verb_WhatAnswersIsNoGateway_SaysSo()
    {
        var run = await Gateway.RunAsync("sessions", "list", "--url", $"http://127.0.0.1:{gateway.HealthPort}", "--token-file", gateway.TokenFile);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("is not the admin API of Spark Gateway", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verb_NoTokenFile_SaysWhereTokensAre()
    {
        var run = await Gateway.RunAsync("sessions", "list", "--url", gateway.Url.ToString(), "--token-file", "none");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("state_dir", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verb_TokenOfAnotherGateway_NamesTheFile()
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-token-");
        var file = Path.Combine(folder.FullName, "tokens");
        await File.WriteAllTextAsync(file, "other: other-0123456789abcdef\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var run = await Gateway.RunAsync("sessions", "list", "--url", gateway.Url.ToString(), "--token-file", file);
        folder.Delete(recursive: true);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(file, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("other-0123456789abcdef", run.Error, StringComparison.Ordinal);
    }

    private Task<GatewayRun> RunAsync(params string[] verb) => Gateway.RunAsync(gateway.Arguments(verb));
}
