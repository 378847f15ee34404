using SparkGateway.Domain;

namespace SparkGateway.Features.Ports;

/// <summary>What is known of sessions whose row is deleted by now.</summary>
public interface ISessionHistory
{
    /// <summary>The audit holds the end of that session. It is kept for longer than the row.</summary>
    Task<Result<bool>> HasEndedAsync(Guid sessionId, CancellationToken cancellation);
}
