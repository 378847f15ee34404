using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

public sealed class StartTimeoutTests
{
    private const string Limit = "within 9 seconds (spark_connect.start_limit_seconds)";

    [Fact]
    public void Explain_NobodyTookItUp_SendsToTheOperator()
    {
        var error = StartTimeout.Explain(Untouched(), 9, blind: null);

        Assert.Equal((ErrorCode.StartFailed, Blame.Cluster), (error.Code, error.Blame));
        Assert.Contains($"did not start {Limit}: no Spark operator has taken up the application yet. For the team that runs the cluster: see that the Spark operator runs, and that it watches namespace sjns-data-control", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_GatewayBlind_DoesNotBlameTheOperator()
    {
        var error = StartTimeout.Explain(Untouched(), 9, "The gateway may not watch pods.");

        Assert.Contains($"was not seen to be ready {Limit}: the gateway cannot watch its namespace now (The gateway may not watch pods).", error.Text, StringComparison.Ordinal);
        Assert.Contains("For the team that runs this gateway", error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("see that the Spark operator runs", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_PodRunsAndDoesNotAnswer_ShowsItsLog()
    {
        var error = StartTimeout.Explain(Sample.Of("running").Facts(log: "Loading 4,000 jars"), 9, blind: null);

        Assert.Equal(Blame.Driver, error.Blame);
        Assert.Contains($"was not ready {Limit}: pod ", error.Text, StringComparison.Ordinal);
        Assert.EndsWith("Loading 4,000 jars", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_TroubleInItsGrace_IsTheReason()
    {
        var facts = Sample.Of("image-pull").Facts();

        Assert.Equal(StartDiagnosis.Look(facts).Error, StartTimeout.Explain(facts, 9, blind: null));
    }

    [Fact]
    public void Explain_OperatorSlow_SaysHowFar()
    {
        var facts = Sample.Of("running").Facts() with { Pod = null };

        Assert.Contains($"was not ready {Limit}: the operator has not made the pod yet", StartTimeout.Explain(facts, 9, blind: null).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutApplication_SaysWhatItWaitedFor() =>
        Assert.EndsWith($"could not be made {Limit}. Last seen: The API server is away.", StartTimeout.WithoutApplication(Untouched().Name, 9, "The API server is away.").Text, StringComparison.Ordinal);

    private static StartFacts Untouched()
    {
        var facts = Sample.Of("running").Facts();
        return facts with { Pod = null, Application = facts.Application! with { Phase = ApplicationPhase.Pending, State = "" } };
    }
}
