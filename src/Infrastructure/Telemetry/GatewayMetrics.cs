using System.Diagnostics;
using System.Diagnostics.Metrics;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>The published metrics. Labels have few values; never an id, a name or a user. The exporter adds _total to counters.</summary>
internal static class GatewayMetrics
{
    private static readonly Meter Meter = new("SparkGateway");
    private static readonly Counter<long> Created = Meter.CreateCounter<long>("spark_connect_sessions_created", description: "On-demand sessions opened.");
    private static readonly Counter<long> Expired = Meter.CreateCounter<long>("spark_connect_sessions_expired", description: "Sessions ended by idle timeout or max TTL.");
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>("spark_connect_proxy_requests", description: "Calls that have ended.");
    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("spark_connect_proxy_errors", description: "Calls that the gateway ended with an error of its own.");
    private static readonly Counter<long> Limits = Meter.CreateCounter<long>("spark_connect_limits_hit", description: "Connections refused or closed for what their peer did.");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("spark_connect_session_duration_seconds", description: "Life of sessions, from ready to end.");
    private static readonly Histogram<double> Latency = Meter.CreateHistogram("spark_connect_message_latency_seconds", null, "Time that bytes spend inside the gateway, from read to handed to the socket; sampled.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1] });

    private static readonly KeyValuePair<string, object?>[] RpcLabels =
        [.. Enum.GetValues<SparkRpc>().Select(rpc => new KeyValuePair<string, object?>("rpc", rpc.ToString()))];

    private static readonly KeyValuePair<string, object?>[] StatusLabels =
        [.. Enumerable.Range(-1, 18).Select(code => new KeyValuePair<string, object?>("code", code < 0 ? "reset" : code.ToString(System.Globalization.CultureInfo.InvariantCulture)))];

    public static void CountActive(Func<int> sessions) =>
        Meter.CreateObservableGauge("spark_connect_sessions_active", sessions, description: "On-demand sessions of this replica that are live.");

    public static void CountCalls(Func<int> calls) =>
        Meter.CreateObservableGauge("spark_connect_open_calls", calls, description: "Calls on their way through this replica.");

    public static void SessionOpened() => Created.Add(1);

    public static void SessionEnded(Session session)
    {
        if (session.EndReason is EndReason.Idle or EndReason.MaxTtl) Expired.Add(1, new KeyValuePair<string, object?>("reason", session.EndReason == EndReason.Idle ? "idle" : "max_ttl"));
        if (session is { ReadyAt: { } ready, EndedAt: { } ended }) Duration.Record((ended - ready).TotalSeconds);
    }

    public static void CallEnded(SparkRpc rpc, int grpcStatus) => Requests.Add(1, RpcLabels[(int)rpc], StatusLabels[Math.Clamp(grpcStatus, -1, 16) + 1]);

    public static void CallFailed(SparkRpc rpc, Domain.ErrorCode code, Domain.Blame blame) => Errors.Add(1, RpcLabels[(int)rpc],
        new KeyValuePair<string, object?>("reason", code.ToString()), new KeyValuePair<string, object?>("blame", blame.ToString()));

    /// <param name="reason">One of the few texts of the relay.</param>
    public static void LimitHit(Relay.Calls.CallSide side, string reason) =>
        Limits.Add(1, new KeyValuePair<string, object?>("peer", side == Relay.Calls.CallSide.Driver ? "driver" : "client"), new KeyValuePair<string, object?>("reason", reason));

    public static void BytesPassed(long sinceTimestamp) => Latency.Record(Stopwatch.GetElapsedTime(sinceTimestamp).TotalSeconds);
}
