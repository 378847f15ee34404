using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

public sealed class StartJudgeTests
{
    private readonly FakeTimeProvider time = new();
    private readonly StartJudge judge;

    public StartJudgeTests() =>
        judge = new StartJudge(new StartGraces(TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30)), time);

    [Theory]
    [InlineData("unschedulable", 120)]
    [InlineData("image-pull", 60)]
    [InlineData("secret-missing", 30)]
    public void Judge_TroubleThatMayPass_FailsAfterItsGrace(string sample, int seconds)
    {
        var facts = Sample.Of(sample).Facts();

        Assert.Null(judge.Judge(facts).Failure);
        Assert.Equal(TimeSpan.FromSeconds(seconds), judge.NextIn(facts));
        time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.Null(judge.Judge(facts).Failure);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(judge.Judge(facts).Failure);
    }

    [Theory]
    [InlineData("crash")]
    [InlineData("pod-quota")]
    public void Judge_TroubleThatStays_FailsAtOnce(string sample) =>
        Assert.NotNull(judge.Judge(Sample.Of(sample).Facts()).Failure);

    [Fact]
    public void Judge_ImageTroubleBlinks_ItsGraceRunsOn()
    {
        var trouble = Sample.Of("image-pull").Facts();
        var quiet = trouble with { Pod = trouble.Pod! with { Waiting = null } };

        judge.Judge(trouble);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(judge.Judge(quiet).Failure);
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.NotNull(judge.Judge(trouble).Failure);
    }

    [Fact]
    public void Judge_AnotherPod_ItsGraceBeginsAnew()
    {
        var facts = Sample.Of("image-pull").Facts();

        judge.Judge(facts);
        time.Advance(TimeSpan.FromSeconds(60));

        Assert.Null(judge.Judge(facts with { Pod = facts.Pod! with { Uid = "another" } }).Failure);
    }

    [Fact]
    public void Judge_StillStarting_NoFailureHoweverLong()
    {
        var facts = Sample.Of("running").Facts();

        judge.Judge(facts);
        time.Advance(TimeSpan.FromHours(1));

        Assert.Null(judge.Judge(facts).Failure);
        Assert.Null(judge.NextIn(facts));
    }
}
