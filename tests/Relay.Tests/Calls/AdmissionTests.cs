using SparkGateway.Domain;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;
using SparkRpc = SparkGateway.Domain.Routing.SparkRpc;

namespace SparkGateway.Relay.Tests.Calls;

public sealed class AdmissionTests
{
    private readonly RelayBench bench = new();

    public AdmissionTests() => bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);

    [Fact]
    public void ClientGone_WithManyParkedCalls_CancelsOneDecisionAndAsksForNoOther()
    {
        for (var n = 0; n < 100; n++) Send((2 * n) + 1, "ExecutePlan");
        Assert.Single(bench.Admissions);

        bench.Client.ClientGone();

        Assert.Single(bench.Admissions);
        Assert.Equal(1, bench.Cancelled);
        Assert.Equal(100, bench.Ended.Count);
        Assert.Equal(0, bench.Total.Bytes);
    }

    [Fact]
    public void Reset_OfTheFirstParkedCall_HasTheNextOneDecided()
    {
        Send(1, "ExecutePlan");
        Send(3, "AnalyzePlan");

        bench.Client.Receive(Frame.Reset(1, ErrorCodes.Cancel).ToBytes());

        Assert.Equal([SparkRpcOf("ExecutePlan"), SparkRpcOf("AnalyzePlan")], bench.Admissions.Select(a => a.Request.Rpc));
        Assert.Equal(1, bench.Cancelled);
    }

    [Fact]
    public void Forward_OfTheFirst_ReleasesAllInTheirOrder()
    {
        for (var n = 0; n < 5; n++) Send((2 * n) + 1, "ExecutePlan", $"{n}");
        var binding = bench.Bind();

        bench.Client.Admitted(bench.Admissions[0].Group, new Admission.Forward(binding));

        var driver = Assert.Single(bench.Connected);
        Assert.Equal([1, 3, 5, 7, 9], driver.Calls.OrderBy(c => c.DriverStream).Select(c => c.ClientStream));
        Assert.Equal(5, binding.Route.OpenCalls);
    }

    [Fact]
    public void StartFailed_IsToldToAllThatWaited_ButAReleaseIsDecidedByItself()
    {
        Send(1, "ExecutePlan");
        Send(3, "AnalyzePlan");
        Send(5, "ReleaseSession");

        bench.Client.Admitted(bench.Admissions[0].Group, new GatewayError(ErrorCode.StartFailed, Blame.Driver, "no"));

        Assert.Equal([9, 9], bench.Ended.Select(e => e.GrpcStatus));
        Assert.Equal(SparkRpcOf("ReleaseSession"), bench.Admissions[^1].Request.Rpc);
    }

    [Fact]
    public void Config_ThatContradictsItsBinding_IsRefused()
    {
        bench.Bind();
        byte[] pair = [.. Proto.Text(1, "spark.connect.grpc.header.x-spark-namespace"), .. Proto.Text(2, "elsewhere")];

        Send(1, "Config", operation: Proto.Bytes(3, Proto.Bytes(1, Proto.Bytes(1, pair))));

        Assert.Equal(3, Assert.Single(bench.Ended).GrpcStatus);
        Assert.Empty(bench.Connected);
        Assert.True(bench.Client.Book.Held == 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(40)]
    public void FirstMessage_InPieces_IsRoutedAsAWhole(int piece)
    {
        var binding = bench.Bind();
        var message = Message("x");
        bench.Client.Receive(Frame.Headers(1, Headers("ExecutePlan")).ToBytes());
        for (var at = 0; at < message.Length; at += piece)
        {
            var part = message.AsMemory(at, Math.Min(piece, message.Length - at));
            bench.Client.Receive(Frame.Data(1, part, endStream: at + piece >= message.Length).ToBytes());
        }

        bench.Client.Settle();
        var driver = Assert.Single(bench.Connected);
        Assert.Equal(1, binding.Route.OpenCalls);
        Assert.Equal(message.Length, driver.Account.Held);
        while (!driver.Output.IsEmpty) driver.Output.Advance(driver.Output.Next.Length);
        Assert.Equal(0, driver.Account.Held);
        Assert.Equal(0, bench.Total.Bytes);
        Assert.True(bench.Client.Book.IsFull);
    }

    private static SparkRpc SparkRpcOf(string name) => Enum.Parse<SparkRpc>(name);

    private static byte[] Headers(string method) => HeaderEncoder.Encode(Grpc.RequestHeaders($"/spark.connect.SparkConnectService/{method}", "gateway:15002"));

    private static byte[] Message(string rest, byte[]? operation = null) =>
        Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User)), .. operation ?? Proto.Text(3, rest)]);

    private void Send(int stream, string method, string rest = "plan", byte[]? operation = null) => bench.Client.Receive([
        .. Frame.Headers(stream, Headers(method)).ToBytes(),
        .. Frame.Data(stream, Message(rest, operation), endStream: true).ToBytes(),
    ]);
}
