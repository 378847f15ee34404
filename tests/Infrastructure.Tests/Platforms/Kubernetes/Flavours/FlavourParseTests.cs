using System.Text.Json;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Flavours;

public sealed class FlavourParseTests
{
    [Theory]
    [InlineData("running", "Running", "RUNNING", "spark-connect-data-running-driver")]
    [InlineData("unschedulable", "Starting", "SUBMITTED", "spark-connect-data-unsched-driver")]
    [InlineData("crash", "Failed", "FAILED", "spark-connect-data-crash-driver")]
    [InlineData("done", "Done", "COMPLETED", "spark-connect-data-done-driver")]
    [InlineData("suspended", "Stopped", "SUSPENDED", null)]
    [InlineData("connect-running", "Running", "Ready", "spark-connect-data-cr-ok-server")]
    [InlineData("connect-crash", "Starting", "NotReady", "spark-connect-data-cr-crash-server")]
    [InlineData("connect-quota", "Pending", "", null)]
    public void Parse_RealApplication_PhaseStateAndPod(string sample, string phase, string state, string? pod)
    {
        var view = Sample.Of(sample).Application;

        Assert.Equal((phase, state, pod), (view.Phase.ToString(), view.State, view.PodName));
        Assert.Equal(Guid.Parse("0b5c7a4e-9d0f-4f2b-8a55-3c1f2e4d5a6b"), view.SessionId);
        Assert.NotNull(view.CreatedAt);
        Assert.False(view.IsDeleting);
    }

    [Fact]
    public void Parse_RunOfAnApplication_IsOnItsPodToo()
    {
        var sample = Sample.Of("running");

        Assert.Equal(sample.PodObject.Label("sparkoperator.k8s.io/submission-id"), sample.Application.Submission);
    }

    [Theory]
    [InlineData("SUCCEEDING", "Ending")]
    [InlineData("FAILING", "Ending")]
    [InlineData("SUBMISSION_FAILED", "Failed")]
    [InlineData("PENDING_RERUN", "Restarting")]
    [InlineData("INVALIDATING", "Restarting")]
    [InlineData("RESUMING", "Stopped")]
    [InlineData("UNKNOWN", "Running")]
    [InlineData("", "Pending")]
    public void Parse_StateOfAnApplication_Phase(string state, string phase) =>
        Assert.Equal(phase, Parse(new SparkApplicationFlavour(), $$$"""{"applicationState": {"state": "{{{state}}}"}, "executorState": {"a": "RUNNING"}, "terminationTime": null}""").Phase.ToString());

    [Theory]
    [InlineData("Submitted", "Starting")]
    [InlineData("DriverStarted", "Starting")]
    [InlineData("DriverReady", "Running")]
    [InlineData("RunningHealthy", "Running")]
    [InlineData("RunningWithBelowThresholdExecutors", "Running")]
    [InlineData("ScheduledToRestart", "Restarting")]
    [InlineData("Succeeded", "Ending")]
    [InlineData("SchedulingFailure", "Failed")]
    [InlineData("DriverReadyTimedOut", "Failed")]
    [InlineData("ResourceReleased", "Done")]
    public void Parse_StateOfApache_PhaseAndMessage(string state, string phase)
    {
        var view = Parse(new ApacheFlavour(), $$$"""{"currentState": {"currentStateSummary": "{{{state}}}", "message": "why"}}""");

        Assert.Equal((phase, state, "why", null), (view.Phase.ToString(), view.State, view.Message, view.PodName));
    }

    [Fact]
    public void Parse_AttachedApplication_KnowsItsPort()
    {
        var application = """
            {"metadata": {"name": "nightly", "namespace": "n", "uid": "u", "labels": {"spark-gateway/attach": "true", "spark-gateway/session": "none"}},
             "spec": {"sparkConf": {"spark.connect.grpc.binding.port": "17001"}}}
            """;
        var view = new SparkApplicationFlavour().Parse(Sample.Object(JsonDocument.Parse(application).RootElement));

        Assert.Equal((true, 17001, null, null), (view.IsAttachable, view.ConfiguredPort, view.SessionId, view.Instance));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("many")]
    public void Parse_PortThatIsNone_IsLeftOut(string port)
    {
        var application = """{"metadata": {}, "spec": {"sparkConf": {"spark.connect.grpc.binding.port": """ + $"\"{port}\"}}}}}}";

        Assert.Null(new SparkApplicationFlavour().Parse(Sample.Object(JsonDocument.Parse(application).RootElement)).ConfiguredPort);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"applicationState\": 3, \"driverInfo\": [], \"currentState\": \"x\", \"conditions\": {}, \"server\": null}")]
    public void Parse_StatusOfAnotherShape_IsPending(string status)
    {
        foreach (var flavour in AllFlavours.List) Assert.Equal(ApplicationPhase.Pending, Parse(flavour, status).Phase);
    }

    private static ApplicationView Parse(IFlavour flavour, string status) =>
        flavour.Parse(Sample.Object(JsonDocument.Parse($$$"""{"metadata": {"name": "a", "namespace": "b", "uid": "c"}, "spec": {}, "status": {{{status}}} }""").RootElement));
}
