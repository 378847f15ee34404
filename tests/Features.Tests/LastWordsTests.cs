using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Tests;

public sealed class LastWordsTests
{
    [Fact]
    public void Keep_ManyCrashes_RemembersTheLatest()
    {
        var words = new LastWords();
        var sessions = Enumerable.Range(0, 100).Select(_ => Guid.NewGuid()).ToList();
        foreach (var id in sessions) words.Keep(id, $"{id}");

        Assert.Equal("", words.For(Of(sessions[0]), "ann"));
        Assert.Equal($"{sessions[^1]}", words.For(Of(sessions[^1]), "ann"));
        Assert.Equal("", words.For(Of(sessions[^1]), "bob"));
    }

    private static Session Of(Guid id) => new()
    {
        Id = id,
        Name = new SessionName("ns", "a"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = Session.LocalPlatform,
        State = SessionState.Ended,
        OpenedBy = "ann",
    };
}
