using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>What drivers wrote. For operators and a session's opener only: a driver's log may hold its users' data.</summary>
public interface IDriverLogs
{
    /// <summary>The last lines, oldest first, known secrets masked; also of a driver that has ended, while its log is kept.</summary>
    Task<Result<IReadOnlyList<string>>> TailAsync(Session session, int lines, CancellationToken cancellation);
}
