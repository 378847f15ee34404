using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

/// <summary>Which line of spark-submit's kilobytes tells, and whose move it is.</summary>
public sealed class SubmissionFailureTests
{
    private const string Forbidden = "pods \"x\" is forbidden";

    private static readonly StartFacts Facts = Sample.Of("rbac").Facts();

    [Theory]
    [InlineData("WARN a\nException in thread \"main\" k8s.Client: Failure. Message: no such thing. Received status: Status(code=404)\n\tat b", "no such thing")]
    [InlineData("x Message: up to the line's end\nCaused by: another", "up to the line's end")]
    [InlineData("x Message: up to the very end", "up to the very end")]
    [InlineData("WARN a\nException in thread \"main\" org.apache.spark.SparkException: no such class\n\tat b", "org.apache.spark.SparkException: no such class")]
    [InlineData("Caused by: java.io.IOException: first\nCaused by: second", "java.io.IOException: first")]
    [InlineData("neither\n of them", "neither of them")]
    [InlineData("", "")]
    public void Line_OfAMessage_IsTheServersElseTheExceptionsElseTheWhole(string message, string expected) =>
        Assert.Equal(expected, SubmissionFailure.Line(message));

    [Theory]
    [InlineData($"x Message: {Forbidden}: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2. Received status: x",
        ErrorCode.ResourceExhausted, Blame.Cluster, "may not start: quota q of namespace {0} is used up (requested: pods=1, used: pods=2, limited: pods=2). For you: stop a session", "For whoever manages the namespace: raise the quota")]
    [InlineData($"x Message: {Forbidden}: error looking up service account ns/spark: serviceaccount \"spark\" not found. Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "service account spark is not in namespace {0}", "or name another as service_account in ")]
    [InlineData("x Message: admission webhook \"w\" denied the request: no. Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "was refused by a rule of the cluster: admission webhook \"w\" denied the request: no. For the team that runs this gateway", "so that it keeps the rule")]
    [InlineData($"x Message: {Forbidden}: ValidatingAdmissionPolicy 'images' with binding 'b' denied request: no latest. Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "was refused by a rule of the cluster: pods", "For the team that runs the cluster: or change the rule")]
    [InlineData($"x Message: {Forbidden}: violates PodSecurity \"restricted:latest\": runAsNonRoot. Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "was refused by a rule of the cluster: pods", "so that it keeps the rule")]
    [InlineData($"x Message: {Forbidden}: User \"op\" cannot create resource \"pods\" in API group \"\". Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "the Spark operator lacks a right (User \"op\" cannot create resource \"pods\" in API group \"\")", "give the operator's service account that right in namespace {0}")]
    [InlineData($"x Message: {Forbidden}: maximum cpu usage per Pod is 1. Received status: x",
        ErrorCode.StartFailed, Blame.Cluster, "was refused by the cluster: pods \"x\" is forbidden: maximum cpu usage per Pod is 1.", "For whoever manages the namespace: lift that limit")]
    [InlineData("failed to run spark-submit: driver pod already exist",
        ErrorCode.StartFailed, Blame.Cluster, "a pod of its name is still there", "call getOrCreate() again for a new session, which has another name")]
    [InlineData("anything else.", ErrorCode.StartFailed, Blame.Gateway, "could not be submitted: anything else. For the team", "For the team that runs this gateway: correct ")]
    public void Explain_EachCause_CodeBlameAndAdvice(string message, ErrorCode code, Blame blame, string what, string advice)
    {
        var error = SubmissionFailure.Explain(Facts, message);

        Assert.Equal((code, blame), (error.Code, error.Blame));
        Assert.Contains(what.Replace("{0}", Facts.Name.Namespace, StringComparison.Ordinal), error.Text, StringComparison.Ordinal);
        Assert.Contains(advice.Replace("{0}", Facts.Name.Namespace, StringComparison.Ordinal), error.Text, StringComparison.Ordinal);
    }
}
