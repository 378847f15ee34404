using System.Security.Cryptography;
using System.Text;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

public sealed class ClientTokenTests
{
    private const int Unauthenticated = 16;
    private const string Known = "known-0123456789";

    private readonly ClientTokens tokens = new();
    private readonly RelayBench bench;
    private int nextStream = 1;

    public ClientTokenTests()
    {
        tokens.Replace(Set("other-0123456789", Known, "last-0123456789"));
        bench = new RelayBench(access: new AccessRules(tokens, null));
        bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        bench.Bind();
    }

    [Theory]
    [InlineData("authorization", "Bearer " + Known, true)]
    [InlineData("authorization", "bearer " + Known, true)]
    [InlineData("authentication", "Bearer " + Known, true)]
    [InlineData("authorization", "Bearer last-0123456789", true)]
    [InlineData("authorization", "Bearer " + Known + " ", false)]
    [InlineData("authorization", "Bearer " + Known + "0", false)]
    [InlineData("authorization", "Bearer known-012345678", false)]
    [InlineData("authorization", "Bearer ", false)]
    [InlineData("authorization", "Basic " + Known, false)]
    [InlineData("authorization", Known, false)]
    [InlineData("authorization", "", false)]
    [InlineData("x-authorization", "Bearer " + Known, false)]
    public void Call_IsAdmittedWithAKnownTokenOnly(string name, string value, bool isAdmitted)
    {
        Call((name, value));

        Assert.Equal(isAdmitted ? 1 : 0, bench.Connected.Sum(driver => driver.Calls.Count()));
        Assert.Equal(isAdmitted ? [] : new[] { Unauthenticated }, bench.Ended.Select(call => call.GrpcStatus));
    }

    [Fact]
    public void Call_WithoutToken_IsRefusedBeforeItIsParkedOrDecided()
    {
        bench.Client.Receive(Frame.Headers(1, Headers("ExecutePlan")).ToBytes());
        Assert.False(bench.Client.Output.IsEmpty);

        bench.Client.Receive(Frame.Data(1, new byte[10_000]).ToBytes());

        Assert.Empty(bench.Admissions);
        Assert.Equal(0, bench.Total.Bytes);
        Assert.Equal(0, bench.Client.Book.Held);
    }

    [Fact]
    public void Token_ThatIsTakenAway_EndsWithTheNextCall()
    {
        Call(("authorization", "Bearer " + Known));
        tokens.Replace(Set("newer-0123456789"));

        Call(("authorization", "Bearer " + Known));
        Call(("authorization", "Bearer newer-0123456789"));

        Assert.Equal([Unauthenticated], bench.Ended.Select(call => call.GrpcStatus));
        Assert.Equal(2, Assert.Single(bench.Connected).Calls.Count());
    }

    [Fact]
    public void ManyClients_OnOneConnection_AreToldApart()
    {
        for (var n = 0; n < 50; n++) Call(("authorization", n % 2 == 0 ? "Bearer " + Known : $"Bearer wrong-{n % 20:D10}"));

        Assert.Equal(25, bench.Ended.Count);
        Assert.Equal(25, Assert.Single(bench.Connected).Calls.Count());
    }

    [Fact]
    public void Header_LongerThanItsRecord_SaysNothingElse()
    {
        // Read on behind the 5 bytes that the length's lower half tells of, and a known credential follows, in records of printable lengths.
        var known = "Bearer ".PadRight(0x2020, 'k');
        tokens.Replace(Set(known["Bearer ".Length..]));
        var value = $"12345c  {known}{string.Concat(Enumerable.Repeat("x  ".PadRight(3 + 0x2020, '.'), 5))}x?%".PadRight(65_536 + 5, '.');
        var relay = new RelayBench(new RelayOptions { MaxHeaderListBytes = 1 << 20, MaxHeaderBlockBytes = 1 << 20, MaxContinuationFrames = 100 }, new AccessRules(tokens, null));
        relay.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        var block = Headers("Config", ("x-spark-session-id", value));
        relay.Client.Receive(Frame.Headers(1, block.AsMemory(0, 16_384), endHeaders: false).ToBytes());
        foreach (var part in block.Skip(16_384).Chunk(16_384)) relay.Client.Receive(Frame.Continuation(1, part, endHeaders: false).ToBytes());

        relay.Client.Receive([.. Frame.Continuation(1, default, endHeaders: true).ToBytes(), .. Frame.Data(1, Message, endStream: true).ToBytes()]);

        Assert.Equal(Unauthenticated, Assert.Single(relay.Ended).GrpcStatus);
    }

    [Fact]
    public void Refusals_OfOneSecond_AreReportedTogether()
    {
        for (var n = 0; n < 5; n++) Call();
        bench.Client.Now += 1001;
        Call(("authorization", "Bearer wrong"));

        Assert.Equal([1, 5], bench.Denials.Select(denial => denial.Count));
        Assert.All(bench.Denials, denial => Assert.Equal(ErrorCode.Unauthenticated, denial.Error.Code));
        Assert.DoesNotContain("wrong", bench.Denials[1].Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Health_NeedsNoToken()
    {
        bench.Client.Receive(Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/grpc.health.v1.Health/Check", "gateway")), endStream: true).ToBytes());

        Assert.Equal(0, Assert.Single(bench.Ended).GrpcStatus);
        Assert.Empty(bench.Denials);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Credential_GoesToADriverWithoutTokenOnlyWhereItIsNotForTheGateway(bool hasTokens)
    {
        var relay = new RelayBench(access: hasTokens ? new AccessRules(tokens, null) : null);
        relay.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        relay.Bind(token: null);

        relay.Client.Receive([.. Frame.Headers(1, Headers("Config", ("authorization", "Bearer " + Known))).ToBytes(), .. Frame.Data(1, Message, endStream: true).ToBytes()]);

        var output = Assert.Single(relay.Connected).Output;
        var sent = new List<byte>();
        for (; !output.IsEmpty; output.Advance(output.Next.Length)) sent.AddRange(output.Next.ToArray());
        Assert.Equal(hasTokens ? -1 : 1, Math.Sign(sent.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(Known))));
    }

    private static byte[] Message => Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User))]);

    private static TokenSet Set(params string[] known) => new([.. known.Select(token => new ClientToken("someone", SHA256.HashData(Encoding.ASCII.GetBytes(token))))]);

    private static byte[] Headers(string method, params IEnumerable<HeaderField> more) =>
        HeaderEncoder.Encode(Grpc.RequestHeaders($"/spark.connect.SparkConnectService/{method}", "gateway:15002", more));

    private void Call(params IEnumerable<HeaderField> headers)
    {
        bench.Client.Receive([.. Frame.Headers(nextStream, Headers("Config", headers)).ToBytes(), .. Frame.Data(nextStream, Message, endStream: true).ToBytes()]);
        nextStream += 2;
    }
}
