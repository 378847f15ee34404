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

/// <summary>Which driver: a platform may know it by either.</summary>
public sealed record DriverRef(Guid SessionId, SessionName Name)
{
    public static DriverRef Of(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return new DriverRef(session.Id, session.Name);
    }
}

/// <summary>A driver that ended without being told to.</summary>
/// <param name="Reason">Crashed; Lost, if somebody else took it away; Replaced, if another has its name now.</param>
/// <param name="Detail">Exit code or signal, in words.</param>
/// <param name="LogTail">Its last log lines, for its opener only.</param>
public sealed record DriverExit(Guid SessionId, EndReason Reason, string Detail, string LogTail);

/// <summary>Where drivers run.</summary>
public interface IDriverPlatform
{
    /// <summary>"local" or "kubernetes": the platform column.</summary>
    string Name { get; }

    /// <summary>
    /// Starts a driver and completes when its readiness probe answers. StartFailed with the driver's last log lines when it
    /// exits or the start limit passes; ResourceExhausted when the platform's cap is reached. On failure and on cancellation
    /// nothing is left behind. Where drivers outlive their replica (<see cref="Session.OutlivesReplica"/>) a launch joins one of
    /// the same session that is there already, and what is left of a failed one is the caller's to stop.
    /// </summary>
    Task<Result<RunningDriver>> LaunchAsync(DriverSpec spec, CancellationToken cancellation);

    /// <summary>Where a ready session's driver answers now; null: that very driver is gone for certain. Not to be told apart at the moment: Unavailable.</summary>
    Task<Result<RunningDriver?>> LocateAsync(Session ready, CancellationToken cancellation);

    /// <summary>Stops a driver; no such driver is no error. Completes when its process is gone.</summary>
    Task StopAsync(DriverRef driver, CancellationToken cancellation);

    /// <summary>Drivers that ended by themselves while ready; where they outlive their replica, each replica reports them. One reader.</summary>
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
