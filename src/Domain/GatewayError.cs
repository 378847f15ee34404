namespace SparkGateway.Domain;

/// <summary>Every expected failure of the gateway. Api/Errors maps each to one gRPC status.</summary>
public enum ErrorCode
{
    /// <summary>The client's input is wrong; the text names the rule and the form to use.</summary>
    InvalidArgument,

    /// <summary>No valid credential came with the call.</summary>
    Unauthenticated,

    /// <summary>The caller may not use what it named.</summary>
    PermissionDenied,

    /// <summary>A named session does not exist. Never sent on ExecutePlan with a *_NOT_FOUND text: old clients loop on it.</summary>
    NoSuchSession,

    /// <summary>A limit is reached: drivers, parked bytes, header list size.</summary>
    ResourceExhausted,

    /// <summary>A driver could not be started in time, or not at all. Not retried by clients.</summary>
    StartFailed,

    /// <summary>Passing: the driver or the store cannot be reached now. Clients wait and retry for minutes.</summary>
    Unavailable,

    /// <summary>The session has ended and its driver is gone: clients drop the session and can open a new one.</summary>
    SessionChanged,

    /// <summary>The client released this session itself.</summary>
    SessionClosed,

    /// <summary>The method or the path is none of ours.</summary>
    Unimplemented,

    /// <summary>A bug of ours.</summary>
    Internal,
}

/// <summary>Whose fault a failure is: decides the log level and the error metric's label.</summary>
public enum Blame
{
    Client,
    Gateway,
    Driver,
    Cluster,
}

/// <summary>One thing that is wrong with an input. <paramref name="Field"/>: its name as the caller wrote it, "" for the input as a whole.</summary>
public sealed record Fault(string Field, string Text);

/// <summary>A failure as a value. <paramref name="Text"/> is shown to the user as it stands: what happened, why, what to do next; never a secret.</summary>
public sealed record GatewayError(ErrorCode Code, Blame Blame, string Text)
{
    /// <summary>Every fault of an input that broke several rules; <see cref="Text"/> says them all too.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    public static GatewayError Invalid(string text) => new(ErrorCode.InvalidArgument, Blame.Client, text);

    public static GatewayError Invalid(IReadOnlyList<Fault> faults) => Invalid(string.Join(" ", faults.Select(fault => fault.Text))) with { Faults = faults };

    public static GatewayError Unavailable(Blame blame, string text) => new(ErrorCode.Unavailable, blame, text);
}
