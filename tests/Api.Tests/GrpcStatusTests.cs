using SparkGateway.Domain;

namespace SparkGateway.Api.Tests;

public sealed class GrpcStatusTests
{
    [Theory]
    [InlineData(ErrorCode.InvalidArgument, 3)]
    [InlineData(ErrorCode.Unauthenticated, 16)]
    [InlineData(ErrorCode.PermissionDenied, 7)]
    [InlineData(ErrorCode.NoSuchSession, 9)]
    [InlineData(ErrorCode.ResourceExhausted, 8)]
    [InlineData(ErrorCode.StartFailed, 9)]
    [InlineData(ErrorCode.Unavailable, 14)]
    [InlineData(ErrorCode.SessionChanged, 13)]
    [InlineData(ErrorCode.SessionClosed, 13)]
    [InlineData(ErrorCode.Unimplemented, 12)]
    [InlineData(ErrorCode.Internal, 13)]
    public void ErrorCode_HasOneStatus(ErrorCode code, int status) => Assert.Equal(status, (int)code.ToGrpcStatus());

    [Fact]
    public void Table_EveryErrorCode_IsInTheCasesAbove() => Assert.Equal(11, Enum.GetValues<ErrorCode>().Length);
}
