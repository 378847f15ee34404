using System.Text;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>The table from answers to failures, with messages as a real API server, operator and proxy wrote them.</summary>
public sealed class KubeErrorsTests
{
    private static readonly KubeSubject Subject = KubeSubject.Of("create", Applications.Kind, "sjns-a-dev", "one");

    [Theory]
    [InlineData(403, "Forbidden", "sparkapplications.sparkoperator.k8s.io \\\"one\\\" is forbidden: exceeded quota: q, requested: count/x=1, used: count/x=2, limited: count/x=2", KubeFailure.Quota, ErrorCode.ResourceExhausted)]
    [InlineData(403, "Forbidden", "sparkapplications is forbidden: User \\\"u\\\" cannot create resource", KubeFailure.Forbidden, ErrorCode.StartFailed)]
    [InlineData(404, "NotFound", "namespaces \\\"sjns-a-dev\\\" not found", KubeFailure.NamespaceMissing, ErrorCode.StartFailed)]
    [InlineData(404, "NotFound", "sparkapplications \\\"one\\\" not found", KubeFailure.NotFound, ErrorCode.StartFailed)]
    [InlineData(403, "Forbidden", "unable to create new content in namespace sjns-a-dev because it is being terminated", KubeFailure.NamespaceTerminating, ErrorCode.StartFailed)]
    [InlineData(403, "Forbidden", "admission webhook \\\"w\\\" denied the request: key spark.master is not allowed", KubeFailure.WebhookDenied, ErrorCode.InvalidArgument)]
    [InlineData(400, "BadRequest", "admission webhook \\\"w\\\" denied the request: json: cannot unmarshal number", KubeFailure.WebhookDenied, ErrorCode.InvalidArgument)]
    [InlineData(403, "Forbidden", "admission webhook \\\"w\\\" denied the request: failed to validate resource quota", KubeFailure.Quota, ErrorCode.ResourceExhausted)]
    [InlineData(500, "InternalError", "Internal error occurred: failed calling webhook \\\"w\\\": connection refused", KubeFailure.WebhookDown, ErrorCode.Unavailable)]
    [InlineData(422, "Invalid", "SparkApplication is invalid: spec.executor.instances: must be 1 or more", KubeFailure.Invalid, ErrorCode.InvalidArgument)]
    [InlineData(400, "BadRequest", "strict decoding error: unknown field \\\"spec.x\\\"", KubeFailure.StrictDecoding, ErrorCode.Internal)]
    [InlineData(409, "AlreadyExists", "sparkapplications \\\"one\\\" already exists", KubeFailure.AlreadyExists, ErrorCode.StartFailed)]
    [InlineData(409, "Conflict", "the UID in the precondition does not match", KubeFailure.Conflict, ErrorCode.Unavailable)]
    [InlineData(410, "Expired", "too old resource version", KubeFailure.Expired, ErrorCode.Unavailable)]
    [InlineData(429, "TooManyRequests", "too many requests", KubeFailure.Overload, ErrorCode.Unavailable)]
    [InlineData(401, "Unauthorized", "Unauthorized", KubeFailure.Unauthorized, ErrorCode.Unavailable)]
    [InlineData(503, "ServiceUnavailable", "etcd is away", KubeFailure.Unreachable, ErrorCode.Unavailable)]
    public void Of_Status_IsFailureAndCode(int code, string reason, string message, object failure, ErrorCode error)
    {
        var made = Of(code, $$"""{"kind": "Status", "status": "Failure", "code": {{code}}, "reason": "{{reason}}", "message": "{{message}}"}""");

        Assert.Equal((failure, error), (made.Failure, made.Error.Code));
        Assert.NotEmpty(made.Error.Text);
    }

    [Fact]
    public void Of_PlainText_IsToldByItsCode()
    {
        var made = Of(404, "404 page not found\n");

        Assert.Equal(KubeFailure.NotFound, made.Failure);
        Assert.Contains("404 page not found.", made.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_LongMessageWithControlCharacters_IsOneCleanLine()
    {
        var made = Of(403, $$"""{"kind": "Status", "code": 403, "message": "is forbidden:\n\t\u001b[31m {{new string('x', 5_000)}}"}""");

        Assert.Contains("is forbidden: [31m xxx", made.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(made.Error.Text, char.IsControl);
        Assert.InRange(made.Error.Text.Length, 500, 900);
    }

    [Fact]
    public void Of_Secret_RepeatsNothingOfIt()
    {
        var subject = KubeSubject.Of("create", ResourceKind.Secrets, "sjns-a-dev", "one");
        const string status = """{"kind": "Status", "code": 422, "message": "Secret is invalid: data[token]: Invalid value: hush", "details": {"causes": [{"field": "data[token]", "message": "Invalid value: hush"}]}}""";

        var made = KubeErrors.Of(422, Encoding.UTF8.GetBytes(status), subject);

        Assert.Contains("data[token]", made.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", made.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_SecretThatMayNotBeMade_SaysWhoseRightIsMissing()
    {
        var subject = KubeSubject.Of("create", ResourceKind.Secrets, "sjns-a-dev", "one");
        const string status = """{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "secrets is forbidden: User \"system:serviceaccount:x:y\" cannot create resource \"secrets\" in API group \"\" in the namespace \"sjns-a-dev\""}""";

        var made = KubeErrors.Of(403, Encoding.UTF8.GetBytes(status), subject);

        Assert.Contains("User \"system:serviceaccount:x:y\" cannot create", made.Error.Text, StringComparison.Ordinal);
        Assert.Contains("add the verb create for secrets", made.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_RetryAfterInTheStatus_IsKept() =>
        Assert.Equal(TimeSpan.FromSeconds(3), Of(429, """{"kind": "Status", "code": 429, "details": {"retryAfterSeconds": 3}}""").RetryAfter);

    private static KubeError Of(int code, string body) => KubeErrors.Of(code, Encoding.UTF8.GetBytes(body), Subject);
}
