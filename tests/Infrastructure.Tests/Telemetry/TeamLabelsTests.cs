using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Tests.Telemetry;

public sealed class TeamLabelsTests
{
    [Fact]
    public void Labels_MorePairsThanTheBound_AreOtherAndTheFirstStay()
    {
        var labels = new TeamLabels();
        var first = Enumerable.Range(0, TeamLabels.Most).Select(number => labels.Of(SessionOf($"team-{number}"))).ToList();

        Assert.Equal("team-99", first[^1].Team.Value);
        Assert.Equal(TeamLabels.Other, labels.Of(SessionOf("one-too-many")));
        Assert.Equal(first[0], labels.Of(SessionOf("team-0")));
        Assert.Equal(TeamLabels.Most + 1, labels.Known.Count());
    }

    [Fact]
    public void Labels_SessionWithoutTeam_SaySo() => Assert.Equal(("none", "none"), (new TeamLabels().Of(SessionOf(null)).Team.Value, new TeamLabels().Of(SessionOf(null)).Environment.Value));

    private static Session SessionOf(string? team) => new()
    {
        Id = Guid.NewGuid(),
        Name = new SessionName("ns", "app"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = "local",
        State = SessionState.Ready,
        Team = team,
        Environment = team is null ? null : "dev",
    };
}
