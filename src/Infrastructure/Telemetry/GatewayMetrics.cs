using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>
/// The published metrics; docs/metrics.md explains each, and a test compares them. Labels have few values; never an id, a
/// name or a user. The exporter adds _total to counters.
/// </summary>
internal static class GatewayMetrics
{
    private static readonly Meter Meter = new("SparkGateway");
    private static readonly TeamLabels Teams = new();

    private static readonly Counter<long> Created = Meter.CreateCounter<long>("spark_connect_sessions_created", description: "On-demand sessions opened.");
    private static readonly Counter<long> Expired = Meter.CreateCounter<long>("spark_connect_sessions_expired", description: "Sessions ended by idle timeout or max TTL.");
    private static readonly Counter<long> Requests = Meter.CreateCounter<long>("spark_connect_proxy_requests", description: "Calls that have ended.");
    private static readonly Counter<long> Errors = Meter.CreateCounter<long>("spark_connect_proxy_errors", description: "Calls that the gateway ended with an error of its own.");
    private static readonly Counter<long> Limits = Meter.CreateCounter<long>("spark_connect_limits_hit", description: "Connections refused or closed for what their peer did.");
    private static readonly Counter<long> StoreErrors = Meter.CreateCounter<long>("spark_gateway_store_errors", description: "Operations for which the store could not be used.");
    private static readonly UpDownCounter<int> Starting = Meter.CreateUpDownCounter<int>("spark_connect_drivers_starting", description: "Drivers that this replica starts now.");

    private static readonly Histogram<double> Duration = Seconds("spark_connect_session_duration_seconds",
        "Life of sessions, from ready to end.", [60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400]);

    private static readonly Histogram<double> Latency = Seconds("spark_connect_message_latency_seconds",
        "Time that bytes spend inside the gateway, from read to written to the socket; sampled.", [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1]);

    private static readonly Histogram<double> DriverStart = Seconds("spark_connect_driver_start_seconds",
        "Time to start a driver, until it answers or is given up.", [0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300]);

    private static readonly Histogram<double> StoreTime = Seconds("spark_gateway_store_operation_seconds",
        "Time of one operation on the store, repeats of lost races included.", [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]);

    private static readonly KeyValuePair<string, object?>[] RpcLabels =
        [.. Enum.GetValues<SparkRpc>().Select(rpc => new KeyValuePair<string, object?>("rpc", rpc.ToString()))];

    private static readonly KeyValuePair<string, object?>[] StatusLabels =
        [.. Enumerable.Range(-1, 18).Select(code => new KeyValuePair<string, object?>("code", code < 0 ? "reset" : code.ToString(CultureInfo.InvariantCulture)))];

    private static MetricSources sources = new();

    /// <summary>What the gauges read; of the host that was built last.</summary>
    public static MetricSources Sources => Volatile.Read(ref sources);

    /// <summary>The two histograms of the design that have no observation for long: published empty until they have one.</summary>
    public static IReadOnlyList<EmptyHistogram> EmptyAtFirst { get; } = [Empty(Duration, "environment=\"other\",team=\"other\""), Empty(Latency, "")];

    static GatewayMetrics()
    {
        Meter.CreateObservableGauge("spark_connect_sessions_active", CountActive, description: "On-demand sessions of this replica that are live.");
        Meter.CreateObservableGauge("spark_connect_open_calls", () => Sources.OpenCalls(), description: "Calls on their way through this replica.");
        Meter.CreateObservableGauge("spark_connect_parked_calls", () => Sources.Parked?.Calls ?? 0, description: "Calls that wait for a decision or for a driver to start.");
        Meter.CreateObservableGauge("spark_connect_parked_bytes", () => Sources.Parked?.Bytes ?? 0, "By", "Bytes of requests that wait with them.");
        Meter.CreateObservableGauge("spark_connect_client_connections", () => Sources.Traffic().Connections, description: "Client connections that are open.");
        Meter.CreateObservableCounter("spark_connect_relay_bytes", ReadTraffic, "By", "Bytes written to drivers (up) and to clients (down), frames included.");
        Meter.CreateObservableGauge("spark_gateway_build_info", () => new Measurement<int>(1, BuildInfo.Tags), description: "Always 1; what runs is in the labels.");
    }

    /// <summary>A new host's gauges begin.</summary>
    public static void Observe(MetricSources of) => Volatile.Write(ref sources, of);

    /// <summary>Series that alerts are made of exist from the start, with the value 0; the exporter listens by now.</summary>
    public static void Announce()
    {
        Created.Add(0, TeamLabels.Other.Team, TeamLabels.Other.Environment);
        foreach (var reason in (EndReason[])[EndReason.Idle, EndReason.MaxTtl]) Expired.Add(0, TeamLabels.Other.Team, TeamLabels.Other.Environment, Label("reason", Reason(reason)));
        foreach (var rpc in RpcLabels)
        {
            Requests.Add(0, rpc, StatusLabels[1]);
            Errors.Add(0, rpc, Label("reason", nameof(ErrorCode.Unavailable)), Label("blame", nameof(Blame.Driver)));
        }

        foreach (var peer in (CallSide[])[CallSide.Client, CallSide.Driver]) Limits.Add(0, Peer(peer), Label("reason", "protocol error"));
        StoreErrors.Add(0, Label("operation", "heartbeat"));
        FeatureTelemetry.Announce();
    }

    public static void SessionOpened(Session session)
    {
        var tags = Teams.Of(session);
        Created.Add(1, tags.Team, tags.Environment);
    }

    public static void SessionEnded(Session session)
    {
        var tags = Teams.Of(session);
        if (session.EndReason is EndReason.Idle or EndReason.MaxTtl) Expired.Add(1, tags.Team, tags.Environment, Label("reason", Reason(session.EndReason.Value)));
        if (session is { ReadyAt: { } ready, EndedAt: { } ended }) Duration.Record((ended - ready).TotalSeconds, tags.Team, tags.Environment);
    }

    public static void CallEnded(SparkRpc rpc, int grpcStatus) => Requests.Add(1, RpcLabels[(int)rpc], StatusLabels[Math.Clamp(grpcStatus, -1, 16) + 1]);

    public static void CallFailed(SparkRpc rpc, ErrorCode code, Blame blame) => Errors.Add(1, RpcLabels[(int)rpc], Label("reason", code.ToString()), Label("blame", blame.ToString()));

    /// <param name="reason">One of the few texts of the relay.</param>
    public static void LimitHit(CallSide side, string reason) => Limits.Add(1, Peer(side), Label("reason", reason));

    /// <param name="since">When they were read.</param>
    public static void BytesPassed(long since) => Latency.Record(Stopwatch.GetElapsedTime(since).TotalSeconds);

    public static void DriverStarting(string platform, int change) => Starting.Add(change, Label("platform", platform));

    /// <param name="outcome">ready, cancelled, or the word of an error code.</param>
    public static void DriverStarted(string platform, string outcome, TimeSpan time) => DriverStart.Record(time.TotalSeconds, Label("platform", platform), Label("outcome", outcome));

    /// <param name="operation">A name of the code's.</param>
    public static void StoreUsed(string operation, TimeSpan time, bool isDown)
    {
        var label = Label("operation", operation);
        StoreTime.Record(time.TotalSeconds, label);
        if (isDown) StoreErrors.Add(1, label);
    }

    private static IEnumerable<Measurement<int>> CountActive()
    {
        var counts = Teams.Known.ToDictionary(tags => tags, _ => 0);
        foreach (var session in Sources.Active())
        {
            var tags = Teams.Of(session);
            counts[tags] = counts.GetValueOrDefault(tags) + 1;
        }

        return counts.Select(count => new Measurement<int>(count.Value, count.Key.Team, count.Key.Environment));
    }

    private static IEnumerable<Measurement<long>> ReadTraffic()
    {
        var traffic = Sources.Traffic();
        return [new(traffic.UpBytes, Label("direction", "up")), new(traffic.DownBytes, Label("direction", "down"))];
    }

    private static string Reason(EndReason reason) => reason == EndReason.Idle ? "idle" : "max_ttl";

    private static KeyValuePair<string, object?> Peer(CallSide side) => Label("peer", side == CallSide.Driver ? "driver" : "client");

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static Histogram<double> Seconds(string name, string description, double[] bounds) =>
        Meter.CreateHistogram(name, "s", description, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private static EmptyHistogram Empty(Histogram<double> histogram, string labels) => new(histogram.Name, histogram.Description!, labels, histogram.Advice!.HistogramBucketBoundaries!);
}
