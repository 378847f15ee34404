using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>A driver of this gateway as the platform knows it.</summary>
/// <param name="SessionId">The row id of the session that it was made for.</param>
/// <param name="Id">Tells it from another one of the same name.</param>
/// <param name="IsRunning">False: it has ended, and only its remains are there.</param>
public sealed record InventoryEntry(Guid SessionId, SessionName Name, string Id, bool IsRunning = true);

/// <summary>The drivers of this gateway that exist on the platform, whatever the store says. Only where drivers outlive their replica.</summary>
public interface IDriverInventory
{
    /// <summary>All of them, from what is known here; UNAVAILABLE while that may be old or in part.</summary>
    Result<IReadOnlyList<InventoryEntry>> List();

    /// <summary>Asks the platform itself whether a driver of that session exists that has not ended.</summary>
    Task<Result<bool>> ExistsAsync(Session session, CancellationToken cancellation);

    /// <summary>Removes just that one; gone already is no error.</summary>
    Task<Result<bool>> RemoveAsync(InventoryEntry entry, CancellationToken cancellation);
}
