using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Platforms;

/// <summary>For platforms where the address of a driver that ended may be another's before anybody here has heard of the end.</summary>
internal interface IDriverCheck
{
    /// <summary>Asks the platform itself. False: that very driver stands there no more, and its session ends. A platform that does not say at once gives nobody that address either: true.</summary>
    Task<bool> StandsAsync(Session ready, CancellationToken cancellation);
}
