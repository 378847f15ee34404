using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Tests.Platforms;

namespace SparkGateway.Infrastructure.Tests.Attached;

public class AttachedSessionsTests
{
    private readonly LogLines log = new();
    private readonly AttachedSessions sessions;

    public AttachedSessionsTests() => sessions = new AttachedSessions(log.For<AttachedSessions>());

    [Fact]
    public void Update_ValidList_ReplacesTheCurrentAndTells()
    {
        IReadOnlyList<AttachedDriver>? told = null;
        sessions.Changed += list => told = list;

        var updated = sessions.Update([Entry("mine", "team", "spark.example.com:15002"), Entry("mine", "other", "[fd00::7]:1", "token")]);

        Assert.True(updated.IsOk, updated.Error?.Text);
        Assert.Equal(
            [new AttachedDriver(new SessionName("team", "mine"), "spark.example.com:15002", null), new AttachedDriver(new SessionName("other", "mine"), "[fd00::7]:1", "token")],
            sessions.Current);
        Assert.Same(sessions.Current, told);
    }

    [Fact]
    public void Update_SameList_TellsNobody()
    {
        sessions.Update([Entry("mine", "team", "h:1")]);
        sessions.Changed += _ => Assert.Fail("Nothing changed.");

        Assert.True(sessions.Update([Entry("mine", "team", "h:1")]).IsOk);
    }

    [Fact]
    public void Update_WrongEntries_NamesAllAndKeepsTheFormer()
    {
        sessions.Update([Entry("mine", "team", "h:1")]);
        var before = sessions.Current;
        sessions.Changed += _ => Assert.Fail("Nothing changed.");

        var updated = sessions.Update([Entry("Mine", "team", "h:1"), Entry("a", "a.b", "h"), Entry("b", "team", "h:1"), Entry("b", "team", "h:2")]);

        Assert.Equal(ErrorCode.InvalidArgument, updated.Error?.Code);
        foreach (var part in (string[])["attached[0].name is \"Mine\"", "attached[1].namespace is \"a.b\"", "attached[1].address is \"h\"", "lists team/b 2 times"]) Assert.Contains(part, updated.Error!.Text, StringComparison.Ordinal);
        Assert.Same(before, sessions.Current);
        Assert.Contains("the former one stays", log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("h:15002", true)]
    [InlineData("10.0.0.7:65535", true)]
    [InlineData("[::1]:1", true)]
    [InlineData("h:0", false)]
    [InlineData("h:65536", false)]
    [InlineData("h: 1", false)]
    [InlineData("h:+1", false)]
    [InlineData(":1", false)]
    [InlineData("::1:15002", false)]
    [InlineData("sc://h:1", false)]
    [InlineData("a b:1", false)]
    [InlineData("[h]:1", false)]
    [InlineData("", false)]
    public void Update_Address_IsHostAndPort(string address, bool valid) => Assert.Equal(valid, sessions.Update([Entry("mine", "team", address)]).IsOk);

    [Fact]
    public void Update_NameNew_IsRefused() => Assert.Contains("driver on demand", sessions.Update([Entry("new", "team", "h:1")]).Error?.Text, StringComparison.Ordinal);

    private static AttachedOptions Entry(string name, string ns, string address, string tokenFile = "") =>
        new() { Name = name, Namespace = ns, Address = address, TokenFile = tokenFile };
}
