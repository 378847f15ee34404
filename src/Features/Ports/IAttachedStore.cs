using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>Somebody else's driver that the platform has found and that answers.</summary>
/// <param name="RuntimeId">Tells it from another one of the same name.</param>
/// <param name="Since">When it began: of two with one name the younger is meant.</param>
public sealed record FoundDriver(SessionName Name, string Address, string RuntimeId, DateTimeOffset Since);

/// <summary>Attached sessions of drivers that a platform finds. What one replica does not see another may: nothing ends for being missing.</summary>
public interface IAttachedStore
{
    /// <summary>
    /// Makes each of them a session in state Ready. A younger driver of the same name ends the session of the older one
    /// (Replaced); an older one, one that has had its session, and one whose name another kind of session bears change nothing.
    /// Returns all live sessions of drivers that this platform found. Audit: attach, end.
    /// </summary>
    Task<Result<IReadOnlyList<Session>>> AttachAsync(string platform, IReadOnlyList<FoundDriver> drivers, CancellationToken cancellation);
}
