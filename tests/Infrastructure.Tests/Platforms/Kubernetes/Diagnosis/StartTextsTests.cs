using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Diagnosis;

/// <summary>What stands around each finding.</summary>
public sealed class StartTextsTests
{
    private static readonly StartFacts Facts = Sample.Of("running").Facts() with { Events = [] };

    [Fact]
    public void Error_AllThatIsKnown_NamesApplicationStatePodNodeAndProfile() => Assert.Equal(
        $"The driver of Spark session {Facts.Name} fails. For you: rest.\nSparkApplication {Facts.Name} is RUNNING, pod spark-connect-data-running-driver on node node-1, profile default.",
        Text(Facts));

    [Fact]
    public void Error_NothingKnown_NamesTheSessionAlone() =>
        Assert.EndsWith($"\nSparkApplication {Facts.Name}.", Text(Facts with { Application = null, Pod = null }), StringComparison.Ordinal);

    [Fact]
    public void Error_NoPodYet_NamesTheOneThatTheOperatorNames() =>
        Assert.EndsWith(" is RUNNING, pod spark-connect-data-running-driver, profile default.", Text(Facts with { Pod = null }), StringComparison.Ordinal);

    [Fact]
    public void Error_Server_IsASparkConnect()
    {
        var facts = Sample.Of("connect-running").Facts();

        Assert.Contains($"\nSparkConnect {facts.Name} is Ready, pod ", Text(facts), StringComparison.Ordinal);
    }

    [Fact]
    public void Error_StateAndProfileOfOthers_AreOneHarmlessLine()
    {
        var facts = Facts with { Application = Facts.Application! with { State = "BAD\nSTATE", Profile = "p\u001bq" } };

        Assert.EndsWith(" is BAD STATE, pod spark-connect-data-running-driver on node node-1, profile p?q.", Text(facts), StringComparison.Ordinal);
        Assert.Equal("kubernetes.profiles[p?q]", StartTexts.Profile(facts));
    }

    [Fact]
    public void Profile_NotKnown_IsSaidWithoutAName()
    {
        Assert.Equal("kubernetes.profiles[default]", StartTexts.Profile(Facts));
        Assert.Equal("its profile in kubernetes.profiles", StartTexts.Profile(Facts with { Application = null }));
        Assert.Equal("its profile in kubernetes.profiles", StartTexts.Profile(Facts with { Application = Facts.Application! with { Profile = "" } }));
    }

    [Fact]
    public void Error_Events_ShowsTheLastThreeWarningsButNoFailedSubmission()
    {
        var at = new DateTimeOffset(2026, 11, 28, 2, 37, 19, TimeSpan.Zero);
        var text = Text(Facts with
        {
            Events =
            [
                new PodEvent(at, true, "First", "too old"),
                new PodEvent(at, true, "Second", "a\nb"),
                new PodEvent(at, false, "Normal", "no warning"),
                new PodEvent(at.ToOffset(TimeSpan.FromHours(2)), true, "Third", new string('x', 300)),
                new PodEvent(at, true, "SparkApplicationSubmissionFailed", "kilobytes"),
                new PodEvent(null, true, "Fourth", "no time"),
            ],
        });

        Assert.EndsWith($"profile default.\nLast warnings:\n  02:37:19 Second: a b\n  02:37:19 Third: {new string('x', 200)}...\n   Fourth: no time", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Error_Log_ShowsItsLastPart()
    {
        Assert.EndsWith("\nThe last lines of its log:\none\ntwo", Text(Facts with { LogTail = "\none\ntwo\n" }), StringComparison.Ordinal);
        Assert.EndsWith($"\nThe last lines of its log:\n{new string('y', 799)}z", Text(Facts with { LogTail = new string('x', 100) + new string('y', 799) + "z\n" }), StringComparison.Ordinal);
        Assert.DoesNotContain("its log", Text(Facts with { LogTail = " \n" }), StringComparison.Ordinal);
    }

    private static string Text(StartFacts facts)
    {
        var error = StartTexts.Error(facts, ErrorCode.StartFailed, Blame.Driver, "fails", "For you: rest");
        Assert.Equal((ErrorCode.StartFailed, Blame.Driver), (error.Code, error.Blame));
        return error.Text;
    }
}
