using System.IO.Compression;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>Which driver a call reaches, as clients of all kinds say it: alpha is a name in two namespaces, beta in one.</summary>
public sealed class RoutingTests : IAsyncLifetime
{
    private const int InvalidArgument = 3;
    private const int Internal = 13;
    private const string NameKey = "spark.connect.grpc.header.x-spark-session-id";
    private const string NamespaceKey = "spark.connect.grpc.header.x-spark-namespace";
    private const string Python35 = "_SPARK_CONNECT_PYTHON spark/3.5.9 os/linux python/3.11.7";
    private const string Cloned = "99999999-2222-4333-8444-555555555555";

    private readonly ScriptedDriver first = ScriptedDriver.Start(onCall: AnswerAsync);
    private readonly ScriptedDriver second = ScriptedDriver.Start(onCall: AnswerAsync);
    private readonly string session = RawGateway.NewSession();
    private GatewayProcess gateway = null!;
    private RawH2Client client = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await GatewayProcess.StartAsync(new GatewaySetup
        {
            Attached = [new("alpha", "ns-a", first.Address), new("alpha", "ns-b", second.Address), new("beta", "ns-b", second.Address)],
        });
        client = await RawH2Client.ConnectAsync(gateway.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await gateway.DisposeAsync();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Name_ThatIsUnique_NeedsNoNamespace()
    {
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "beta"));

        Assert.Single(second.Calls);
    }

    [Fact]
    public async Task Name_InTwoNamespaces_IsRefusedWithBoth()
    {
        var text = await RefusedAsync(InvalidArgument, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "alpha"));

        Assert.Contains("ns-a", text, StringComparison.Ordinal);
        Assert.Contains("ns-b", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Namespace_WithoutAName_IsRefused() =>
        Assert.Contains("ns-a", await RefusedAsync(InvalidArgument, SparkRpc.Request(session, "ada"), ("x-spark-namespace", "ns-a")), StringComparison.Ordinal);

    [Fact]
    public async Task Pairs_InOneConfigSet_BindAsHeadersDo()
    {
        await GoodAsync(SparkRpc.Config, SparkRpc.ConfigSet(session, "ada", (NameKey, "alpha"), (NamespaceKey, "ns-a")));
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"));

        Assert.Equal([SparkRpc.Config, SparkRpc.ExecutePlan], first.Calls.Select(call => call.Path));
        Assert.Empty(second.Calls);
    }

    /// <summary>PySpark 3.5: spark.remote first, then one key a call, the whole list twice.</summary>
    [Fact]
    public async Task Pairs_OfPySpark35_BindWithItsFirstRealCall()
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var (key, value) in new[] { ("spark.remote", "sc://localhost"), (NameKey, "alpha"), (NamespaceKey, "ns-b") })
            {
                var set = Proto.Bytes(1, Proto.Bytes(1, [.. Proto.Text(1, key), .. Proto.Text(2, value)]));
                var answer = await GoodAsync(SparkRpc.Config, SparkRpc.Request(session, "ada", Proto.Bytes(3, set), Proto.Text(4, Python35)));
                Assert.Equal(session, SparkRpc.SessionOf(Grpc.Read(answer.Body, out _)));
            }
        }

        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"));

        Assert.Equal(SparkRpc.ExecutePlan, second.Calls[^1].Path);
        Assert.Empty(first.Calls);
    }

    [Fact]
    public async Task Key_OfTheJvmClient_BindsAlone()
    {
        await GoodAsync(SparkRpc.Config, SparkRpc.ConfigSet(session, "ada", (NameKey, "beta")));
        await GoodAsync(SparkRpc.Config, SparkRpc.ConfigSet(session, "ada", (NamespaceKey, "ns-b")));

        Assert.Equal(2, second.Calls.Count);
    }

    [Fact]
    public async Task BoundSession_IsNeverMovedByAHeader()
    {
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "beta"));

        await RefusedAsync(InvalidArgument, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "alpha"), ("x-spark-namespace", "ns-a"));
        foreach (var name in new[] { "", "new", "beta" }) await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", name));

        Assert.Equal(4, second.Calls.Count);
        Assert.Empty(first.Calls);
    }

    [Fact]
    public async Task SessionId_OfAnotherUser_IsAnotherSession()
    {
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "beta"));

        await RefusedAsync(InvalidArgument, SparkRpc.Request(session, "bob"));
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "bob"), ("x-spark-session-id", "alpha"), ("x-spark-namespace", "ns-a"));

        Assert.Equal("bob", SparkRpc.UserOf(Grpc.Read(first.Calls.Single().Body, out _)));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("gzip")]
    public async Task Clone_FollowsItsParent(string encoding)
    {
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "alpha"), ("x-spark-namespace", "ns-a"));

        var clone = await GoodAsync(SparkRpc.CloneSession, SparkRpc.Request(session, "ada"), ("x-encoding", encoding));
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Cloned, "ada"));

        Assert.Equal(encoding == "gzip" ? 1 : 0, clone.Body[0]);
        Assert.Equal(Cloned, SparkRpc.SessionOf(Grpc.Read(first.Calls[^1].Body, out _)));
        Assert.Equal(3, first.Calls.Count);
    }

    [Fact]
    public async Task Reattach_OfASessionThatNobodyKnows_SaysThatTheSessionChanged()
    {
        var call = await client.CallAsync(SparkRpc.ReattachExecute, SparkRpc.Request(session, "ada"));

        Assert.Equal(Internal, await call.StatusAsync());
        Assert.Contains("[INVALID_HANDLE.SESSION_CHANGED]", Uri.UnescapeDataString(call.Headers["grpc-message"]!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KilledGateway_StartedAgain_KnowsItsBoundSessions()
    {
        await GoodAsync(SparkRpc.ExecutePlan, SparkRpc.Request(session, "ada"), ("x-spark-session-id", "beta"));

        gateway.Kill();
        await client.ClosedAsync();
        await client.DisposeAsync();
        await gateway.StartAgainAsync();
        client = await RawH2Client.ConnectAsync(gateway.Port);
        await GoodAsync(SparkRpc.ReattachExecute, SparkRpc.Request(session, "ada"));

        Assert.Equal([SparkRpc.ExecutePlan, SparkRpc.ReattachExecute], second.Calls.Select(call => call.Path));
    }

    private async Task<H2Stream> GoodAsync(string path, byte[] message, params IEnumerable<HeaderField> headers)
    {
        var call = await client.CallAsync(path, message, headers);
        Assert.True(await call.StatusAsync() == 0, $"{path}: {call}");
        return call;
    }

    private async Task<string> RefusedAsync(int status, byte[] message, params IEnumerable<HeaderField> headers)
    {
        var call = await client.CallAsync(SparkRpc.ExecutePlan, message, headers);
        Assert.True(await call.StatusAsync() == status, $"{call}");
        return Uri.UnescapeDataString(call.Headers["grpc-message"]!);
    }

    /// <summary>Answers with the session id; a clone, asked for by its RPC, gets a new one.</summary>
    private static async Task AnswerAsync(H2Stream call)
    {
        var request = await call.MessageAsync();
        await call.EndAsync();
        var response = SparkRpc.Response(SparkRpc.SessionOf(request), call.Path == SparkRpc.CloneSession ? [Proto.Text(2, "server"), Proto.Text(3, Cloned)] : []);
        if (call.Headers["x-encoding"] != "gzip")
        {
            await call.AnswerAsync(response);
            return;
        }

        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(response);
        await call.SendHeadersAsync(Grpc.ResponseHeaders(("grpc-encoding", "gzip")));
        await call.SendDataAsync(Grpc.Frame(packed.ToArray(), compressed: true));
        await call.SendHeadersAsync(Grpc.Trailers(), endStream: true);
    }
}
