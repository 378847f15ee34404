using System.Diagnostics;
using SparkGateway.Infrastructure.Relay;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

public sealed class CallTracerTests : IDisposable
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Parent = "b7ad6b7169203331";
    private const double Never = 1e-12;

    private readonly ActivityListener listener = new()
    {
        ShouldListenTo = source => source.Name == "SparkGateway",
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    public CallTracerTests() => ActivitySource.AddActivityListener(listener);

    public void Dispose() => listener.Dispose();

    [Fact]
    public void Call_WithSampledTraceparent_HasASpanOfThatTrace()
    {
        var ended = End(new CallTracer(Never), ("traceparent", $"00-{Trace}-{Parent}-01"));

        Assert.Equal((Trace, Parent, "ReleaseExecute"), (ended.Span!.TraceId.ToString(), ended.Span.ParentSpanId.ToString(), ended.Span.OperationName));
        Assert.Null(Activity.Current);
        CallTracer.End(ended.Span, ended);
        Assert.Equal((RelayBench.User, "ns/app", 0), (ended.Span.GetTagItem("user"), ended.Span.GetTagItem("session"), ended.Span.GetTagItem("rpc.grpc.status_code")));
        Assert.Null(Activity.Current);
    }

    [Theory]
    [InlineData($"00-{Trace}-{Parent}-00")]
    [InlineData("nonsense")]
    [InlineData($"00-{Trace}-{Parent}-01-and-much-more-than-fits")]
    public void Call_WhoseClientDoesNotAskForASpan_HasNone(string traceparent) =>
        Assert.Null(End(new CallTracer(Never), ("traceparent", traceparent)).Span);

    [Fact]
    public void Call_WithoutTraceparent_GoesByTheRatio()
    {
        Assert.NotNull(End(new CallTracer(1)).Span);
        Assert.Null(End(new CallTracer(1), ("traceparent", $"00-{Trace}-{Parent}-00")).Span);
        Assert.Null(End(null, ("traceparent", $"00-{Trace}-{Parent}-01")).Span);
    }

    /// <summary>One whole call.</summary>
    private static CallOutcome End(CallTracer? tracer, params IEnumerable<HeaderField> headers)
    {
        var bench = new RelayBench(tracer: tracer);
        bench.Bind();
        bench.Client.Receive([
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/ReleaseExecute", "g", [.. headers]))).ToBytes(),
            .. Frame.Data(1, Grpc.Frame([.. Proto.Text(1, RelayBench.ClientSession), .. Proto.Bytes(2, Proto.Text(1, RelayBench.User))]), endStream: true).ToBytes(),
        ]);
        Assert.Single(bench.Connected).Receive([
            .. Frame.Settings().ToBytes(),
            .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders(("grpc-status", "0"))), endStream: true).ToBytes(),
        ]);
        var ended = Assert.Single(bench.Ended);
        Assert.Equal(Domain.Routing.SparkRpc.ReleaseExecute, ended.Rpc);
        return ended;
    }
}
