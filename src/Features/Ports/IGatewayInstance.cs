using SparkGateway.Domain;

namespace SparkGateway.Features.Ports;

/// <summary>The gateway that all replicas of one store are.</summary>
/// <param name="Id">What its drivers in a cluster bear.</param>
/// <param name="Age">How long its store exists, on the store's clock.</param>
public sealed record GatewayInstance(Guid Id, TimeSpan Age);

/// <summary>Who this gateway is, kept in the store.</summary>
public interface IGatewayInstance
{
    Task<Result<GatewayInstance>> ReadAsync(CancellationToken cancellation);
}
