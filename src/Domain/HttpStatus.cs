namespace SparkGateway.Domain;

/// <summary>The one table from our errors to what a client of the admin API sees; beside it stands <see cref="GrpcStatusTable"/>.</summary>
public static class HttpStatusTable
{
    public static int ToHttpStatus(this ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument => 400,
        ErrorCode.Unauthenticated => 401,
        ErrorCode.PermissionDenied => 403,
        ErrorCode.NoSuchSession => 404,
        // The session is there, but not in a state that allows it.
        ErrorCode.SessionChanged => 409,
        ErrorCode.SessionClosed => 409,
        ErrorCode.ResourceExhausted => 429,
        ErrorCode.Unimplemented => 501,
        ErrorCode.StartFailed => 502,
        ErrorCode.Unavailable => 503,
        _ => 500,
    };

    /// <summary>What kind of failure it is, in three words or fewer.</summary>
    public static string Title(this ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument => "Input not allowed",
        ErrorCode.Unauthenticated => "Token needed",
        ErrorCode.PermissionDenied => "Not permitted",
        ErrorCode.NoSuchSession => "No such session",
        ErrorCode.SessionChanged or ErrorCode.SessionClosed => "Wrong session state",
        ErrorCode.ResourceExhausted => "Limit reached",
        ErrorCode.Unimplemented => "Not supported",
        ErrorCode.StartFailed => "Driver start failed",
        ErrorCode.Unavailable => "Temporarily unavailable",
        _ => "Gateway bug",
    };
}
