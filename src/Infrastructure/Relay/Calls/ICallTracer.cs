using System.Diagnostics;
using SparkGateway.Domain.Routing;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Decides which calls have a span. Where there is none, no call pays anything.</summary>
internal interface ICallTracer
{
    /// <summary>Of version 00, as W3C Trace Context writes it: longer ones are of a later version and are not read.</summary>
    const int TraceparentBytes = 55;

    /// <summary>Null: this call has none.</summary>
    Activity? Begin(SparkRpc rpc, ReadOnlySpan<byte> traceparent);
}
