using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using SparkGateway.Domain.Routing;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay;

/// <summary>Spans of calls. A client that sends a traceparent decides by its sampled flag, for all others the ratio does.</summary>
internal sealed class CallTracer(double ratio) : ICallTracer
{
    private const string Service = "spark.connect.SparkConnectService";

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "Draws samples, guards nothing.")]
    public Activity? Begin(SparkRpc rpc, ReadOnlySpan<byte> traceparent)
    {
        var hasParent = ActivityContext.TryParse(Encoding.ASCII.GetString(traceparent), null, isRemote: true, out var parent);
        var isWanted = hasParent ? parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) : Random.Shared.NextDouble() < ratio;
        if (!isWanted) return null;

        // The loop belongs to many calls: none of them is its current one.
        var before = Activity.Current;
        Activity.Current = null;
        var span = GatewaySpans.Source.StartActivity(rpc.ToString(), ActivityKind.Server, parent);
        Activity.Current = before;
        return span;
    }

    public static void End(Activity span, in CallOutcome outcome)
    {
        span.SetTag("rpc.system", "grpc").SetTag("rpc.service", Service).SetTag("rpc.method", outcome.Rpc.ToString())
            .SetTag("rpc.grpc.status_code", outcome.GrpcStatus).SetTag("ended_by", outcome.Side.ToString());
        if (outcome.Binding is { } binding)
        {
            var session = binding.Route.Session;
            span.SetTag("session", session.Name.ToString()).SetTag("team", session.Team).SetTag("environment", session.Environment).SetTag("user", binding.Key.UserId);
        }

        if (outcome.GrpcStatus != 0) span.SetStatus(ActivityStatusCode.Error, outcome.Error?.Code.ToString());
        var before = Activity.Current;
        span.Stop();
        Activity.Current = before;
    }
}
