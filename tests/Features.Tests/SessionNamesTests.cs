using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Tests;

public sealed class SessionNamesTests
{
    [Fact]
    public void Draw_AnyTeam_StaysOneLabelAndDiffers()
    {
        foreach (var team in new[] { "a", new string('t', 40), new string('t', 41), new string('t', 63), new string('t', 39) + "-" + new string('u', 23) })
        {
            var names = Enumerable.Range(0, 100).Select(_ => SessionNames.Draw(new RoutingDecision.Open(new TeamRef(team, "dev"), "ns")).Name).ToList();
            Assert.All(names, name => Assert.True(SessionName.IsLabel(name) && name.Length <= 43, name));
            Assert.Equal(100, names.Distinct().Count());
            Assert.All(names, name => Assert.DoesNotContain("--", name, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Draw_TeamsWithOneBeginning_AreToldApart()
    {
        Assert.StartsWith("spark-connect-feature-engineers-", Draw("feature-engineers"), StringComparison.Ordinal);
        Assert.Equal(Draw("feature-engineering-north")[..^8], Draw("feature-engineering-north")[..^8]);
        Assert.NotEqual(Draw("feature-engineering-north")[..^8], Draw("feature-engineering-south")[..^8]);
    }

    private static string Draw(string team) => SessionNames.Draw(new RoutingDecision.Open(new TeamRef(team, "dev"), "ns")).Name;
}
