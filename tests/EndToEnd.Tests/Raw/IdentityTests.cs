using System.Security.Cryptography;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Raw;

/// <summary>A gateway behind a proxy that names the user: each test is that proxy, and a client that would rather be somebody else.</summary>
public sealed class IdentityTests
{
    private const int InvalidArgument = 3;
    private const int Unauthenticated = 16;
    private const long MemoryBound = 100 * 1024 * 1024;
    private const int LargestMessage = 128 * 1024 * 1024;
    private const string Session = "11111111-2222-4333-8444-555555555555";

    private static readonly GatewaySetup Enforced = Setup("127.0.0.0/8");
    private static readonly byte[] Tail = [.. Proto.Text(1, Session), .. Proto.Bytes(2, Proto.Text(1, "alice"))];

    [Fact]
    public async Task SessionId_OfAlice_IsNoUseToMallory()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Enforced, driver.Address);
        await using var client = await gateway.ConnectAsync();
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "whoever"), RawGateway.To(0, ("x-user", "alice")))).StatusAsync());

        // Bound for alice, so she needs no more headers; for mallory it is a client session that nobody knows.
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "mallory"), ("x-user", "alice"))).StatusAsync());
        Assert.Equal(InvalidArgument, await (await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "alice"), ("x-user", "mallory"))).StatusAsync());
        Assert.Equal(Unauthenticated, await (await client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Session, "alice"))).StatusAsync());
        Assert.Equal(0, await (await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "alice"), RawGateway.To(0, ("x-user", "mallory")))).StatusAsync());

        Assert.Equal(["alice", "alice", "mallory"], driver.Calls.Select(call => SparkRpc.UserOf(Grpc.Read(call.Body, out _))));
        Assert.All(driver.Calls, call => Assert.Null(call.Headers["x-user"]));
    }

    [Fact]
    public async Task Name_FromAPeerThatIsNotTrusted_CountsForNothing()
    {
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Setup("10.255.255.1"), driver.Address);
        await using var client = await gateway.ConnectAsync();

        var call = await client.CallAsync(SparkRpc.Config, SparkRpc.Request(Session, "alice"), RawGateway.To(0, ("x-user", "alice")));

        Assert.Equal(Unauthenticated, await call.StatusAsync());
        Assert.Contains("x-user", call.Headers["grpc-message"], StringComparison.Ordinal);
        Assert.Empty(driver.Calls);
    }

    /// <summary>The messages of Spark itself, read by its own protobuf classes.</summary>
    [Fact]
    public async Task EditedMessages_AsSparkReadsThem_NameAlice()
    {
        byte[][] messages =
        [
            SparkRpc.Request(Session, "mallory", Proto.Bytes(2, Proto.Text(2, "Alice L.")), Proto.Bytes(3, Proto.Bytes(1, [])), Proto.Text(4, "client"), Proto.Text(7, "tag")),
            [.. Proto.Text(1, Session), .. Proto.Bytes(3, Proto.Bytes(1, [])), .. SparkRpc.Request(Guid.NewGuid().ToString(), "mallory")],
            [.. Proto.Text(1, Session), .. Proto.Text(4_000, "unknown")],
        ];
        await using var driver = ScriptedDriver.StartEcho();
        await using var gateway = await RawGateway.StartAsync(Enforced, driver.Address);
        await using var client = await gateway.ConnectAsync();

        foreach (var message in messages)
            Assert.Equal(0, await (await client.CallAsync(SparkRpc.ExecutePlan, message, RawGateway.To(0, ("x-user", "alice")))).StatusAsync());

        var read = await PythonClient.RunAsync(
            """
            from pyspark.sql.connect.proto import ExecutePlanRequest
            for part in URL.split():
                m = ExecutePlanRequest.FromString(bytes.fromhex(part))
                print("read", m.session_id, m.user_context.user_id, m.user_context.user_name or "-", m.client_type or "-", list(m.tags), m.HasField("plan"))
            """,
            string.Join(' ', driver.Calls.Select(call => Convert.ToHexString(Grpc.Read(call.Body, out _)!))));
        Assert.Equal(
            [$"read {Session} alice Alice L. client ['tag'] True", $"read {Session} alice - - [] True", $"read {Session} alice - - [] False"],
            read.Split('\n').Where(line => line.StartsWith("read", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Trick_BehindAGoodMessage_EndsTheCallOnBothSides()
    {
        await using var driver = ScriptedDriver.Start();
        await using var gateway = await RawGateway.StartAsync(Enforced, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var call = await client.OpenAsync(SparkRpc.AddArtifacts, RawGateway.To(0, ("x-user", "alice")));
        await call.SendMessageAsync(SparkRpc.Request(Session, "alice"));
        var taken = await driver.CallAsync();
        await taken.MessageAsync();

        await call.SendMessageAsync((byte[])[.. SparkRpc.Request(Session, "mallory"), .. Proto.LengthHead(3, Tail.Length)]);

        Assert.Equal(InvalidArgument, await call.StatusAsync());
        Assert.Equal(ErrorCodes.Cancel, await taken.ResetAsync());
        await client.PingAsync();
    }

    [Fact]
    public async Task Message_Of128MiB_GetsItsUserAtTheEnd()
    {
        var head = SparkRpc.Request(Session, "mallory");
        var plan = Proto.LengthHead(3, LargestMessage);
        plan = Proto.LengthHead(3, LargestMessage - head.Length - plan.Length);
        var message = new byte[LargestMessage];
        RandomNumberGenerator.Fill(message);
        head.CopyTo(message, 0);
        plan.CopyTo(message, head.Length);
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        expected.AppendData(Grpc.Prefix(LargestMessage + Tail.Length));
        expected.AppendData(message);
        expected.AppendData(Tail);
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });
        await using var gateway = await RawGateway.StartAsync(Enforced, driver.Address);
        await using var client = await gateway.ConnectAsync();
        var before = gateway.Process.Process.ResidentBytes;

        var call = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0, ("x-user", "alice")));
        await call.SendDataAsync(Grpc.Prefix(LargestMessage));
        await call.SendDataAsync(message, endStream: true, Deadlines.Transfer);
        var taken = await driver.CallAsync();
        await taken.EndAsync(Deadlines.Transfer);

        Assert.Equal(Convert.ToHexString(expected.GetHashAndReset()), taken.TakeHash());
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Message_ThatClaims4GiB_IsBoundedAndEndsWithItsClient(bool isEnforced)
    {
        const int Sent = 8 * 1024 * 1024;
        await using var driver = ScriptedDriver.Start(H2Options.Driver with { KeepsBodies = false });
        await using var gateway = await RawGateway.StartAsync(isEnforced ? Enforced : new GatewaySetup(), driver.Address);
        await using var client = await gateway.ConnectAsync();
        var before = gateway.Process.Process.ResidentBytes;
        var room = isEnforced ? Tail.Length : 0;
        byte[] head = [.. SparkRpc.Request(Session, "alice"), .. Proto.Varint(26), .. Proto.Varint(uint.MaxValue - 1_000)];

        if (isEnforced)
        {
            var over = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0, ("x-user", "alice")));
            await over.SendDataAsync((byte[])[0, 255, 255, 255, 255, .. head]);
            Assert.Equal(InvalidArgument, await over.StatusAsync());
        }

        var call = await client.OpenAsync(SparkRpc.ExecutePlan, RawGateway.To(0, ("x-user", "alice")));
        await call.SendDataAsync((byte[])[.. Prefix(uint.MaxValue - (uint)room), .. head]);
        await call.SendDataAsync(new byte[Sent], limit: Deadlines.Transfer);
        var taken = await driver.CallAsync();
        await taken.ReceivedAsync(Sent, Deadlines.Transfer);
        await call.SendResetAsync();

        Assert.Equal(ErrorCodes.Cancel, await taken.ResetAsync());
        Assert.InRange(gateway.Process.Process.PeakResidentBytes - before, 0, MemoryBound);
        await client.PingAsync();
    }

    private static GatewaySetup Setup(string trusted) =>
        new() { Settings = ["identity.header=x-user", $"identity.trusted_peers=[{trusted}]", "identity.enforce=true"] };

    private static byte[] Prefix(uint length) => [0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];
}
