using System.Globalization;

namespace SparkGateway.Domain.Sessions;

/// <summary>What a client of an ended session reads: what happened, why, since when, what to do.</summary>
public static class EndTexts
{
    private const string Gone = "Its driver and all that was in it are gone";
    private const string NewSession = "call getOrCreate() again for a new session";

    /// <param name="session">As the store remembers it: with reason, detail and time of its end.</param>
    /// <param name="lastWords">For its opener only: the driver's last log lines; of a start that failed, all that was said below the first line.</param>
    public static GatewayError Ended(Session session, string lastWords = "")
    {
        var why = Why(session);
        var said = session.EndDetail?.Trim().TrimEnd('.') ?? "";
        var detail = said.Length == 0 || said == why ? "" : $" ({said})";
        var since = session.EndedAt is { } at
            ? string.Create(CultureInfo.InvariantCulture, $" at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC")
            : "";
        var log = lastWords.Length == 0 ? "" : session.EndReason == EndReason.StartFailed ? $"\n{lastWords}" : $"\nThe last lines of its log:\n{lastWords}";
        return new GatewayError(ErrorCode.SessionChanged, BlameFor(session.EndReason),
            $"Spark session {session.Name} has ended{since}: {why}{detail}. {Gone}; {NextStep(session.EndReason)}.{log}");
    }

    /// <summary>For a client that comes back with the connection string of a session that an operator had opened for it.</summary>
    public static GatewayError UsedUp(GatewayError ended) =>
        ended with { Text = $"{ended.Text}\nThe session_id of its connection string is used up: connect with a new connection string, or without session_id." };

    /// <summary>For the client session that released itself.</summary>
    public static GatewayError Released(Session session) => new(ErrorCode.SessionClosed, Blame.Client,
        $"This client released its Spark session {session.Name} itself (stop() does that), so it takes no more calls. Stop using the old object and call getOrCreate() for a new session.");

    /// <summary>For the calls that a session's end cuts off. One that ends because all its clients released it has only theirs.</summary>
    public static GatewayError ForCalls(Session session, string logTail = "") =>
        session.EndReason == EndReason.Released ? Released(session) : Ended(session, logTail);

    /// <summary>For a waiter who is not the opener: why a start failed, without the driver's log.</summary>
    public static GatewayError StartFailed(SessionName name) => new(ErrorCode.StartFailed, Blame.Driver,
        $"The driver of Spark session {name} could not be started. Its opener was told why; call getOrCreate() to try again with a session of your own.");

    /// <summary>The start that this process waited for is another one's.</summary>
    public static GatewayError StartTimedOut(SessionName name, int seconds) => new(ErrorCode.StartFailed, Blame.Gateway,
        $"The driver of Spark session {name}, which another gateway process starts, was not ready after {seconds} seconds (spark_connect.start_limit_seconds). Call getOrCreate() to try again with a new session.");

    /// <summary>The start was this process's own, and is over without anything known of its result.</summary>
    public static GatewayError StartUnknown(SessionName name) => new(ErrorCode.StartFailed, Blame.Gateway,
        $"The start of the driver of Spark session {name} ended, but its result was lost while the gateway's store could not be reached. Call getOrCreate() to try again with a new session.");

    /// <summary>For who waits on a replica that stops: its driver lives on, and the next replica that is asked takes the start over.</summary>
    public static GatewayError StartHandedOn(SessionName name) => GatewayError.Unavailable(Blame.Gateway,
        $"The gateway process that starts the driver of Spark session {name} is being stopped; another one goes on with the start. Try again.");

    public static GatewayError Forgotten() => new(ErrorCode.SessionChanged, Blame.Gateway,
        $"The gateway does not know this Spark session any more. {Gone}; {NewSession}.");

    private static string Why(Session session) => session.EndReason switch
    {
        EndReason.Idle => "no call was open for longer than the idle timeout",
        EndReason.MaxTtl => "it reached the longest time that a session may live",
        EndReason.Released => "all its clients had released it",
        EndReason.ClosedByOperator => "an operator closed it",
        EndReason.Crashed => "its driver ended by itself",
        EndReason.StartFailed => "its driver could not be started",
        EndReason.StartAbandoned => "every client that waited for its driver went away",
        EndReason.Lost when session.OutlivesReplica => "its driver is no longer there, and the gateway did not stop it",
        EndReason.Lost => "the gateway process that ran its driver is gone",
        EndReason.Replaced => "the attached driver of this name is no longer the one of before",
        _ => "it is being closed",
    };

    private static string NextStep(EndReason? reason) => reason switch
    {
        EndReason.MaxTtl => $"{NewSession}, and keep results that must outlive one in a table",
        EndReason.ClosedByOperator => $"ask the operator, or {NewSession}",
        EndReason.Crashed => $"{NewSession}, and if it ends like this again, look at what ran last or give the driver more memory",
        EndReason.Replaced => "ask who runs it, or call getOrCreate() again for the driver that has the name now",
        _ => NewSession,
    };

    private static Blame BlameFor(EndReason? reason) => reason switch
    {
        EndReason.Crashed or EndReason.StartFailed => Blame.Driver,
        EndReason.Idle or EndReason.Released or EndReason.StartAbandoned => Blame.Client,
        _ => Blame.Gateway,
    };
}
