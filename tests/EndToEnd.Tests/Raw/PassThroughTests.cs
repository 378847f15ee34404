using System.Security.Cryptography;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>What goes in comes out: requests and responses through the gateway against the same ones without it.</summary>
public sealed class PassThroughTests
{
    private const string Session = "11111111-2222-4333-8444-555555555555";

    private static readonly HeaderField[] Custom =
    [
        ("grpc-timeout", "601S"), ("x-team-note", "a, b; c=\"d\""), ("x-trace-bin", "AAECAwQFBgcICQ"), ("x-trace-bin", "/+8="), ("grpc-encoding", "identity"),
        ("x-empty", ""), ("x-latin", "caf\u00e9"),
    ];

    /// <summary>As a Spark driver refuses a query before its first message: text and details come to some 5 KB.</summary>
    private static readonly HeaderField[] Refusal = [.. Grpc.ResponseHeaders(
        ("grpc-status", "13"), ("grpc-message", "[TABLE_OR_VIEW_NOT_FOUND] caf%C3%A9 " + new string('m', 2_000)), ("grpc-status-details-bin", new string('D', 3_199)))];

    [Fact]
    public async Task Request_ThroughTheGateway_IsTheSameAsDirect()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var direct = await RawH2Client.ConnectAsync(driver.Port);
        await using var client = await gateway.ConnectAsync();
        var message = SparkRpc.Request(Session, "ada", Proto.Bytes(3, RandomNumberGenerator.GetBytes(3_000)));

        Assert.Equal(0, await (await direct.CallAsync(SparkRpc.Config, message, Custom)).StatusAsync());
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.Config, message, RawGateway.To(0, Custom))).StatusAsync());

        var calls = driver.Calls;
        Assert.Equal(Sorted(calls[0].Headers), Sorted(calls[1].Headers));
        Assert.Equal(driver.Address, calls[1].Headers[":authority"]);
        Assert.Equal(Grpc.Frame(message), calls[1].Body);

        static IEnumerable<HeaderField> Sorted(HeaderList headers) => headers.Fields.Where(field => field.Name != ":authority").OrderBy(field => field.Name, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Response_ThroughTheGateway_IsTheSameBytesAsDirect()
    {
        var message = RandomNumberGenerator.GetBytes(40_000);
        await using var driver = ScriptedDriver.Start(onCall: async call =>
        {
            await call.EndAsync();
            await call.SendHeadersAsync(Grpc.ResponseHeaders(("grpc-encoding", "gzip"), ("x-build-bin", "AP8")));
            await call.SendDataAsync(Grpc.Frame(message, compressed: true));
            await call.SendHeadersAsync(Grpc.Trailers(5, ("grpc-message", "100%25 no"), ("x-cost-bin", "AAAA"), ("x-cost-bin", "BBBB")), endStream: true);
        });
        await using var gateway = await RawGateway.StartAsync(driver);

        var (direct, through) = await SameCallAsync(driver, gateway);

        Assert.Equal(direct.Blocks.Select(block => block.Raw), through.Blocks.Select(block => block.Raw));
        Assert.Equal(direct.Body, through.Body);
    }

    [Fact]
    public async Task Refusal_WithFiveKilobytesOfDetails_IsTheSameBytesAsDirect()
    {
        await using var driver = ScriptedDriver.Start(onCall: async call =>
        {
            await call.EndAsync();
            await call.SendHeadersAsync(Refusal, endStream: true);
        });
        await using var gateway = await RawGateway.StartAsync(driver);

        var (direct, through) = await SameCallAsync(driver, gateway);

        Assert.Equal(direct.Headers.Raw, through.Headers.Raw);
        Assert.Single(through.Blocks);
    }

    [Fact]
    public async Task Answer_OfTrailersOnlyWithStatusZero_Passes()
    {
        await using var driver = ScriptedDriver.Start(onCall: call => call.SendHeadersAsync(Grpc.ResponseHeaders(("grpc-status", "0")), endStream: true));
        await using var gateway = await RawGateway.StartAsync(driver);

        var (direct, through) = await SameCallAsync(driver, gateway);

        Assert.Equal(direct.Headers.Raw, through.Headers.Raw);
    }

    [Fact]
    public async Task FirstResponse_OfABinding_SaysWhichSessionItIs_LaterOnesDoNot()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();

        var first = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        await first.EndAsync();
        var second = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        await second.EndAsync();

        Assert.Equal(RawGateway.Name(0), first.Headers["x-spark-session-id"]);
        Assert.Equal(RawGateway.Namespace, first.Headers["x-spark-namespace"]);
        Assert.Null(second.Headers["x-spark-session-id"]);
    }

    [Fact]
    public async Task RpcAndField_ThatNoProtoKnows_Pass()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var message = SparkRpc.Request(Session, "ada", Proto.Number(536_870_911, ulong.MaxValue), Proto.Text(15_000, "later"));

        var call = await client.CallAsync(SparkRpc.Service + "BatchExecutePlan", message, RawGateway.To(0));

        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(SparkRpc.Service + "BatchExecutePlan", driver.Calls.Single().Path);
        Assert.Equal(Grpc.Frame(message), driver.Calls.Single().Body);
    }

    [Fact]
    public async Task Cancel_ReachesTheDriverAndNobodyElse()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var cancelled = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();
        var other = await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var otherTaken = await driver.CallAsync();
        await taken.SendHeadersAsync(Grpc.ResponseHeaders());
        await taken.SendMessageAsync(SparkRpc.Response(Session));
        await cancelled.MessageAsync();

        await cancelled.SendResetAsync();

        Assert.Equal(ErrorCodes.Cancel, await taken.ResetAsync());
        await otherTaken.AnswerAsync(SparkRpc.Response(Session));
        Assert.Equal(0, await other.StatusAsync());
    }

    [Theory]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.Rst)]
    public async Task Client_ThatVanishes_FreesItsCallsAtTheDriver(Cut cut)
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "ada"), RawGateway.To(0));
        var taken = await driver.CallAsync();

        if (cut == Cut.Fin) client.Finish();
        else client.Abort();

        await Deadlines.UntilAsync("the end of the call at the driver", () => taken.IsOver);
    }

    [Fact]
    public async Task Credential_OfTheClient_GoesToADriverWithoutATokenOfItsOwn()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "ada"), RawGateway.To(0, ("authorization", "Bearer its-own")));

        Assert.Equal(0, await call.StatusAsync());
        Assert.Equal(["Bearer its-own"], driver.Calls.Single().Headers.All("authorization"));
        Assert.DoesNotContain("its-own", gateway.Process.Process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_OfOneSession_ReachTheDriverInTheirOrder()
    {
        const int Count = 300;
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(driver);
        await using var client = await gateway.ConnectAsync();
        var burst = Enumerable.Range(0, Count).SelectMany(number =>
        {
            var id = (2 * number) + 1;
            var headers = Grpc.RequestHeaders(SparkRpc.ReleaseExecute, "localhost", RawGateway.To(0, ("x-number", $"{number}")));
            return new[] { Frame.Headers(id, HeaderEncoder.Encode(headers)), Frame.Data(id, Grpc.Frame(SparkRpc.Request(Session, "ada")), endStream: true) };
        });

        await client.SendAsync([.. burst]);
        await Deadlines.UntilAsync("all answers", () => driver.Calls.Count(call => call.HasEnded) == Count);

        Assert.Equal(Enumerable.Range(0, Count).Select(number => $"{number}"), driver.Calls.OrderBy(call => call.Id).Select(call => call.Headers["x-number"]));
    }

    /// <summary>The same call without and through the gateway; the session is bound before, so that its announcement has gone out.</summary>
    private static async Task<(H2Stream Direct, H2Stream Through)> SameCallAsync(ScriptedDriver driver, RawGateway gateway)
    {
        var direct = await RawH2Client.ConnectAsync(driver.Port);
        var client = await gateway.ConnectAsync();
        await using (direct)
        await using (client)
        {
            var message = SparkRpc.Request(Session, "ada");
            var first = await direct.CallAsync(SparkRpc.ExecutePlan, message);
            await first.EndAsync();
            await (await client.CallAsync(SparkRpc.ExecutePlan, message, RawGateway.To(0))).EndAsync();
            var second = await client.CallAsync(SparkRpc.ExecutePlan, message, RawGateway.To(0));
            await second.EndAsync();
            return (first, second);
        }
    }
}
