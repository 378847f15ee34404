using SparkGateway.Domain.Sessions;
using static SparkGateway.Domain.Tests.Routing.Given;

namespace SparkGateway.Domain.Tests.Sessions;

public sealed class EndTextsTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 25, 16, 5, 7, TimeSpan.FromHours(2));

    public static TheoryData<EndReason> Reasons => [.. Enum.GetValues<EndReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Ended_EachReason_SaysWhatWhySinceWhenAndWhatToDo(EndReason reason)
    {
        var error = EndTexts.Ended(OnDemand() with { State = SessionState.Ended, EndReason = reason, EndDetail = "by ops.", EndedAt = At });

        Assert.Equal(ErrorCode.SessionChanged, error.Code);
        Assert.Contains("ns/spark-connect-data-abcdefgh has ended at 2026-11-25 14:05:07 UTC: ", error.Text, StringComparison.Ordinal);
        Assert.Contains(" (by ops). ", error.Text, StringComparison.Ordinal);
        Assert.Contains("call getOrCreate() again", error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("it is being closed", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ended_WithTheReasonAsItsDetail_SaysItOnce()
    {
        const string Why = "the gateway process that ran its driver is gone";

        var error = EndTexts.Ended(OnDemand() with { Platform = Session.LocalPlatform, EndReason = EndReason.Lost, EndDetail = Why });

        Assert.Equal(2, error.Text.Split(Why).Length);
    }

    [Fact]
    public void Ended_WithLog_ShowsItLast()
    {
        var error = EndTexts.Ended(OnDemand() with { EndReason = EndReason.Crashed }, "java.lang.OutOfMemoryError");

        Assert.Equal(Blame.Driver, error.Blame);
        Assert.EndsWith("java.lang.OutOfMemoryError", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Released_ByTheClient_IsClosedNotChanged() => Assert.Equal(ErrorCode.SessionClosed, EndTexts.Released(OnDemand()).Code);
}
