namespace SparkGateway.Domain;

/// <summary>The gRPC status codes that the gateway sends.</summary>
public enum GrpcStatus
{
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// <summary>The one table from our errors to what a gRPC client sees. Clients choose by it whether to retry, give up or open a new session.</summary>
public static class GrpcStatusTable
{
    public static GrpcStatus ToGrpcStatus(this ErrorCode code) => code switch
    {
        ErrorCode.InvalidArgument => GrpcStatus.InvalidArgument,
        ErrorCode.Unauthenticated => GrpcStatus.Unauthenticated,
        ErrorCode.PermissionDenied => GrpcStatus.PermissionDenied,
        // NOT_FOUND would make old clients try again without end.
        ErrorCode.NoSuchSession => GrpcStatus.FailedPrecondition,
        ErrorCode.ResourceExhausted => GrpcStatus.ResourceExhausted,
        ErrorCode.StartFailed => GrpcStatus.FailedPrecondition,
        // The only code that clients wait for and retry.
        ErrorCode.Unavailable => GrpcStatus.Unavailable,
        ErrorCode.SessionChanged => GrpcStatus.Internal,
        ErrorCode.SessionClosed => GrpcStatus.Internal,
        ErrorCode.Unimplemented => GrpcStatus.Unimplemented,
        ErrorCode.Internal => GrpcStatus.Internal,
        _ => GrpcStatus.Internal,
    };
}
