using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Hosting;

/// <summary>
/// Something that must hold before the gateway serves: a Spark to start, a store with the right schema. `serve` runs all
/// of them in the order of their registration, before any hosted service, and shows every failure.
/// </summary>
public interface IStartCheck
{
    /// <summary>Null if it holds; else one sentence: what is wrong and what to do.</summary>
    Task<GatewayError?> CheckAsync(CancellationToken cancellation);
}
