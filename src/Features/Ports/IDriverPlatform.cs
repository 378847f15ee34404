using System.Threading.Channels;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>The driver to start for a session.</summary>
public sealed record DriverSpec(Guid SessionId, SessionName Name, string Team, string Environment, string User);

/// <summary>A driver whose readiness probe has answered.</summary>
/// <param name="Address">host:port of its Spark Connect server.</param>
/// <param name="RuntimeId">Tells this process or pod from a successor at the same address.</param>
public sealed record RunningDriver(string Address, string RuntimeId);

/// <summary>A driver that ended without being told to.</summary>
/// <param name="Detail">Exit code or signal, in words.</param>
/// <param name="LogTail">Its last log lines, for its opener only.</param>
public sealed record DriverExit(Guid SessionId, string Detail, string LogTail);

/// <summary>Where drivers run.</summary>
public interface IDriverPlatform
{
    /// <summary>"local" or "kubernetes": the platform column.</summary>
    string Name { get; }

    /// <summary>
    /// Starts a driver and completes when its readiness probe answers. StartFailed with the driver's last log lines when it
    /// exits or the start limit passes; ResourceExhausted when the platform's cap is reached. On failure and on cancellation
    /// nothing is left behind.
    /// </summary>
    Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation);

    /// <summary>Stops a driver; no such driver is no error. Completes when its process is gone.</summary>
    Task StopAsync(Guid sessionId, CancellationToken cancellation);

    /// <summary>Drivers that ended by themselves while ready. One reader.</summary>
    ChannelReader<DriverExit> Exits { get; }
}

/// <summary>The secret each driver demands of its callers.</summary>
public interface IDriverTokens
{
    /// <summary>The token of an on-demand driver: every replica can derive it, nothing stores it. Null where the engine knows none.</summary>
    string? ForOnDemand(Guid sessionId);

    /// <summary>The token of an attached driver by its session name; null: none is configured, and the client's own authorization passes.</summary>
    string? ForAttached(SessionName name);
}
