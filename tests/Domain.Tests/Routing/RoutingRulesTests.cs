using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using static SparkGateway.Domain.Tests.Routing.Given;

namespace SparkGateway.Domain.Tests.Routing;

/// <summary>One row a rule. Outcomes: ok, absorb, bind VIA, open TEAM/ENV in NAMESPACE, or an error code with words of its text.</summary>
public sealed class RoutingRulesTests
{
    private static readonly Session App = Attached();
    private static readonly Session Anns = OnDemand();

    public sealed record Row(string Rule, RouteRequest Request, RoutingFacts Facts, RoutingPolicy Policy, string Outcome, params string[] Words)
    {
        public override string ToString() => Rule;
    }

    private static IEnumerable<Row> Names()
    {
        var named = Call() with { Headers = Hints("app", "ns") };
        yield return new("name and namespace: attached", named, new() { Named = App }, Policy, "bind Header");
        yield return new("name and namespace: attached, no user", Call(user: "") with { Headers = Hints("app", "ns") }, new() { Named = App }, Policy, "bind Header");
        yield return new("name and namespace: nobody there", named, RoutingFacts.None, Policy, "NoSuchSession", "ns/app", "drop both");
        yield return new("name and namespace: ending is not there", named, new() { Named = App with { State = SessionState.Ending } }, Policy, "NoSuchSession");
        yield return new("name and namespace: own on-demand", named, new() { Named = Anns with { Name = App.Name } }, Policy, "bind Header");
        yield return new("name and namespace: own on-demand that starts", named, new() { Named = Anns with { Name = App.Name, State = SessionState.Starting } }, Policy, "bind Header");
        yield return new("name and namespace: on-demand of another user", named, new() { Named = Anns with { Name = App.Name, OpenedBy = "bob" } }, Policy, "PermissionDenied", "ns/app", "user_id");
        yield return new("name and namespace: on-demand, both without user", Call(user: "") with { Headers = Hints("app", "ns") }, new() { Named = Anns with { Name = App.Name, OpenedBy = "" } }, Policy, "PermissionDenied");
        yield return new("name and namespace: own on-demand of another team", named with { Headers = Hints("app", "ns", "other", "dev") }, new() { Named = Anns with { Name = App.Name } }, Policy, "InvalidArgument", "x-spark-team", "never moved");
        yield return new("name and namespace: attached has no team", named with { Headers = Hints("app", "ns", "other") }, new() { Named = App }, Policy, "bind Header");
        yield return new("name and namespace: release is forwarded", named with { Rpc = SparkRpc.ReleaseSession }, new() { Named = App }, Policy, "bind Header");
        yield return new("name alone: unique", Call() with { Headers = Hints("app") }, new() { Attached = [App, Attached("ns", "other")] }, Policy, "bind Header");
        yield return new("name alone: two", Call() with { Headers = Hints("app") }, new() { Attached = [App, Attached("ns2")] }, Policy, "InvalidArgument", "ns/app, ns2/app", "x-spark-namespace=NAMESPACE");
        yield return new("name alone: none", Call() with { Headers = Hints("app") }, new() { Attached = [Attached("ns", "other")] }, Policy, "InvalidArgument", "ns/other");
        yield return new("name alone: nothing attached", Call() with { Headers = Hints("app") }, RoutingFacts.None, Policy, "InvalidArgument", "none at all");
        yield return new("name alone: twelve are listed as ten", Call() with { Headers = Hints("app") }, new() { Attached = [.. Enumerable.Range(1, 12).Select(n => Attached($"ns{n}"))] }, Policy, "InvalidArgument", "ns10/app and 2 more");
        yield return new("namespace alone", Call() with { Headers = Hints(space: "ns") }, RoutingFacts.None, Policy, "InvalidArgument", "sc://gw:15002/;x-spark-session-id=NAME;x-spark-namespace=NAMESPACE");
        yield return new("namespace with new", Call() with { Headers = Hints("new", "ns") }, RoutingFacts.None, Policy, "InvalidArgument", "Name both");
        yield return new("config: name and namespace", Call(SparkRpc.Config) with { Config = Hints("app", "ns") }, new() { Named = App }, Policy, "bind Config");
        yield return new("config: name alone, unique", Call(SparkRpc.Config) with { Config = Hints("app") }, new() { Attached = [App] }, Policy, "bind Config");
        yield return new("config: namespace alone", Call(SparkRpc.Config) with { Config = Hints(space: "ns") }, RoutingFacts.None, Policy, "InvalidArgument", "JVM");
        yield return new("headers win over config", Call(SparkRpc.Config) with { Headers = Hints("new"), Config = Hints("app", "ns") }, new() { Named = App }, Policy, "open data/dev in sjns-data-dev");
        yield return new("empty header leaves it to config", Call(SparkRpc.Config) with { Headers = Hints(""), Config = Hints("app", "ns") }, new() { Named = App }, Policy, "bind Config");
    }

    private static IEnumerable<Row> Unbound()
    {
        yield return new("unbound ReleaseSession", Call(SparkRpc.ReleaseSession), RoutingFacts.None, Policy, "ok");
        yield return new("unbound ReleaseExecute", Call(SparkRpc.ReleaseExecute), RoutingFacts.None, Policy, "ok");
        yield return new("unbound ReleaseSession joins nobody", Call(SparkRpc.ReleaseSession), new() { Joined = Anns }, Policy, "ok");
        yield return new("unbound ReattachExecute", Call(SparkRpc.ReattachExecute), RoutingFacts.None, Policy, "SessionChanged", "getOrCreate()");
        yield return new("unbound FetchErrorDetails", Call(SparkRpc.FetchErrorDetails), RoutingFacts.None, Policy, "SessionChanged");
        foreach (var rpc in new[] { SparkRpc.Other, SparkRpc.ExecutePlan, SparkRpc.AnalyzePlan, SparkRpc.Config, SparkRpc.AddArtifacts, SparkRpc.ArtifactStatus, SparkRpc.Interrupt, SparkRpc.CloneSession, SparkRpc.GetStatus })
            yield return new($"unbound {rpc} opens", Call(rpc), RoutingFacts.None, Policy, "open data/dev in sjns-data-dev");
        var absorbable = Call(SparkRpc.Config) with { IsAbsorbableConfig = true };
        yield return new("3.5 config: absorbed", absorbable, RoutingFacts.None, Policy, "absorb");
        yield return new("3.5 config: pairs absorbed", absorbable with { Config = Hints(space: "ns") }, RoutingFacts.None, Policy, "absorb");
        yield return new("3.5 config: not when headers name a session", absorbable with { Headers = Hints("app", "ns") }, new() { Named = App }, Policy, "bind Header");
        yield return new("3.5 config: not when headers say new", absorbable with { Headers = Hints("new") }, RoutingFacts.None, Policy, "open data/dev in sjns-data-dev");
        yield return new("3.5 config: a team in the headers leaves the name open", absorbable with { Headers = Hints(team: "data", env: "dev") }, RoutingFacts.None, Policy, "absorb");
        yield return new("3.5 config: bad pairs are refused at once", absorbable with { Config = Hints("App") }, RoutingFacts.None, Policy, "InvalidArgument");
        yield return new("no session id", Call(id: ""), RoutingFacts.None, Policy, "InvalidArgument", "session_id");
        yield return new("no UUID opens nothing", Call(id: "my-session"), RoutingFacts.None, Policy, "InvalidArgument", "'my-sessi...'", "UUID");
        yield return new("no UUID joins nothing", Call(id: "my-session"), new() { Joined = Anns }, Policy, "InvalidArgument", "UUID");
        yield return new("no UUID enters no on-demand session", Call(id: "x") with { Headers = Hints("app", "ns") }, new() { Named = Anns with { Name = App.Name } }, Policy, "InvalidArgument", "UUID");
        yield return new("no UUID is an attached driver's business", Call(id: "x") with { Headers = Hints("app", "ns") }, new() { Named = App }, Policy, "bind Header");
    }

    private static IEnumerable<Row> Sharing()
    {
        yield return new("joined: ready", Call(), new() { Joined = Anns }, Policy, "bind Connection");
        yield return new("joined: starting", Call(), new() { Joined = Anns with { State = SessionState.Starting } }, Policy, "bind Connection");
        yield return new("joined: ending", Call(), new() { Joined = Anns with { State = SessionState.Ending } }, Policy, "open data/dev in sjns-data-dev");
        yield return new("joined: ended", Call(), new() { Joined = Anns with { State = SessionState.Ended } }, Policy, "open data/dev in sjns-data-dev");
        yield return new("joined: attached is no on-demand session", Call(), new() { Joined = App }, Policy, "open data/dev in sjns-data-dev");
        yield return new("joined: config asks for another team", Call() with { Config = Hints(team: "other", env: "dev") }, new() { Joined = Anns }, Policy, "open other/dev in sjns-other-dev");
        yield return new("joined: config asks for the same team", Call() with { Config = Hints(team: "data", env: "dev") }, new() { Joined = Anns }, Policy, "bind Connection");
        yield return new("joined: half a team", Call() with { Config = Hints(team: "data") }, new() { Joined = Anns }, Policy, "InvalidArgument");
    }

    private static IEnumerable<Row> OnDemands()
    {
        var byAuthority = Policy with { Authorities = new Dictionary<string, TeamRef> { ["ml.example"] = new("ml", "prod") } };
        var listed = Policy with { AnyTeam = false, Teams = [Data, new("ml", "prod")] };
        var team = Call() with { Headers = Hints(team: "ml", env: "prod") };
        yield return new("team: headers", team, RoutingFacts.None, Policy, "open ml/prod in sjns-ml-prod");
        yield return new("team: headers and new", Call() with { Headers = Hints("new", null, "ml", "prod") }, RoutingFacts.None, Policy, "open ml/prod in sjns-ml-prod");
        yield return new("team: config", Call() with { Config = Hints(team: "ml", env: "prod") }, RoutingFacts.None, Policy, "open ml/prod in sjns-ml-prod");
        yield return new("team: headers win", team with { Config = Hints(team: "x", env: "y") }, RoutingFacts.None, Policy, "open ml/prod in sjns-ml-prod");
        yield return new("team: authority", Call() with { Authority = "ml.example" }, RoutingFacts.None, byAuthority, "open ml/prod in sjns-ml-prod");
        yield return new("team: authority with port, other case", Call() with { Authority = "ML.example:15002" }, RoutingFacts.None, byAuthority, "open ml/prod in sjns-ml-prod");
        yield return new("team: unknown authority", Call() with { Authority = "other" }, RoutingFacts.None, byAuthority, "open data/dev in sjns-data-dev");
        yield return new("team: headers win over authority", Call() with { Authority = "ml.example", Headers = Hints(team: "x", env: "y") }, RoutingFacts.None, byAuthority, "open x/y in sjns-x-y");
        yield return new("team without environment", Call() with { Headers = Hints(team: "ml") }, RoutingFacts.None, Policy, "InvalidArgument", "x-spark-team came without x-spark-environment", "sc://gw:15002/;x-spark-team=TEAM;x-spark-environment=ENV");
        yield return new("environment without team", Call() with { Headers = Hints(env: "prod") }, RoutingFacts.None, Policy, "InvalidArgument", "x-spark-environment came without x-spark-team");
        yield return new("config: team without environment", Call() with { Config = Hints(team: "ml") }, RoutingFacts.None, Policy, "InvalidArgument", "sc://gw:15002/;x-spark-team=TEAM");
        yield return new("no team at all", Call(), RoutingFacts.None, Policy with { Default = null }, "InvalidArgument", "sc://gw:15002/;x-spark-team=TEAM;x-spark-environment=ENV");
        yield return new("on demand is off", team, RoutingFacts.None, Policy with { OnDemandEnabled = false }, "InvalidArgument", "x-spark-session-id=NAME");
        yield return new("pair allowed", team, RoutingFacts.None, listed, "open ml/prod in sjns-ml-prod");
        yield return new("pair not allowed", Call() with { Headers = Hints(team: "ml", env: "dev") }, RoutingFacts.None, listed, "PermissionDenied", "ml/dev", "data/dev, ml/prod");
        yield return new("default must be allowed too", Call(), RoutingFacts.None, listed with { Teams = [new("ml", "prod")] }, "PermissionDenied");
        yield return new("no pair is allowed", Call(), RoutingFacts.None, Policy with { AnyTeam = false }, "PermissionDenied", "none may");
        yield return new("allowed pairs are listed up to ten", Call(), RoutingFacts.None, listed with { Teams = [.. Enumerable.Range(1, 14).Select(n => new TeamRef($"t{n}", "dev"))] }, "PermissionDenied", "t10/dev and 4 more");
        yield return new("namespace too long", Call() with { Headers = Hints(team: new string('a', 40), env: new string('b', 40)) }, RoutingFacts.None, Policy, "InvalidArgument", "default_namespace_pattern");
        yield return new("bad name", Call() with { Headers = Hints("My App", "ns") }, RoutingFacts.None, Policy, "InvalidArgument", "'My App' of x-spark-session-id", SessionName.NameRule);
        yield return new("bad namespace", Call() with { Headers = Hints("app", "n.s") }, RoutingFacts.None, Policy, "InvalidArgument", "'n.s' of x-spark-namespace", SessionName.LabelRule);
        yield return new("bad team", Call() with { Headers = Hints(team: "-ml", env: "dev") }, RoutingFacts.None, Policy, "InvalidArgument", "'-ml' of x-spark-team");
        yield return new("bad environment", Call() with { Headers = Hints(team: "ml", env: "d{v") }, RoutingFacts.None, Policy, "InvalidArgument", "'d{v' of x-spark-environment");
        yield return new("long values are cut", Call() with { Headers = Hints(new string('x', 5_000), "ns") }, RoutingFacts.None, Policy, "InvalidArgument", $"'{new string('x', 253)}...'");
        yield return new("control characters are not shown", Call() with { Headers = Hints("a\u001b[2J\nb", "ns") }, RoutingFacts.None, Policy, "InvalidArgument", "'a?[2J?b'");
    }

    public static TheoryData<Row> Rows => [.. Names(), .. Unbound(), .. Sharing(), .. OnDemands()];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Decide_EachRule_HasItsOutcome(Row row)
    {
        var decision = RoutingRules.Decide(row.Request, row.Facts, row.Policy);

        Assert.Equal(row.Outcome, Describe(decision));
        if (decision is RoutingDecision.Refuse refuse) Assert.All(row.Words, word => Assert.Contains(word, refuse.Error.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Decide_BindOrAbsorb_CarriesWhatWasFound()
    {
        var request = Call() with { Headers = Hints("app", "ns") };
        Assert.Equal(new RoutingDecision.Bind(App.Id, BoundVia.Header), RoutingRules.Decide(request, new() { Named = App }, Policy));

        var config = Call(SparkRpc.Config) with { IsAbsorbableConfig = true, Config = Hints("app", null, "ml", "dev") };
        Assert.Equal(new RoutingDecision.Absorb(config.Config), RoutingRules.Decide(config, RoutingFacts.None, Policy));
    }

    [Theory]
    [InlineData("app", "ns", "", "", "ns/app")]
    [InlineData("new", "ns", "", "", null)]
    [InlineData("app", "", "", "", null)]
    [InlineData("", "", "app", "ns", "ns/app")]
    [InlineData("app", "ns", "other", "ns2", "ns/app")]
    [InlineData("App", "ns", "", "", null)]
    [InlineData("app", "n_s", "", "", null)]
    public void FullName_FromHeadersElseConfig_WhenBothPartsAreValid(string name, string space, string configName, string configSpace, string? expected)
    {
        var request = Call() with { Headers = Hints(name, space), Config = Hints(configName, configSpace) };

        Assert.Equal(expected, RoutingRules.FullName(request)?.ToString());
    }

    private static string Describe(RoutingDecision decision) => decision switch
    {
        RoutingDecision.AnswerOk => "ok",
        RoutingDecision.Absorb => "absorb",
        RoutingDecision.Bind bind => $"bind {bind.Via}",
        RoutingDecision.Open open => $"open {open.Team} in {open.Namespace}",
        RoutingDecision.Refuse refuse => refuse.Error.Code.ToString(),
        _ => "?",
    };
}
