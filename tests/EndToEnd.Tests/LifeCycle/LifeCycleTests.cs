using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>The life of a session from its first call to its end, as stock PySpark and an operator see it: the same wherever drivers run.</summary>
public abstract class LifeCycleTests(LifePlatform platform)
{
    /// <summary>What a client may ask that is told the end of its session: one that tries again without end asks hundreds of times a second.</summary>
    private const int FewCalls = 100;

    /// <summary>Until the platform knows of the end, the client asks again, each time later.</summary>
    private const int FewCallsOfACrash = 10;

    private const string Told = "told [INVALID_HANDLE.SESSION_CHANGED]";

    private const string LongQuery =
        """
        def nap(frames):
            print("last words", file=sys.stderr, flush=True)
            open(RUNNING, "w").close()
            for frame in frames:
                time.sleep(300)
                yield frame

        try:
            print("not told", spark.range(1, numPartitions=1).mapInPandas(nap, "id long").collect())
        except Exception as error:
            print("told", " ".join(str(error).split()))
        """;

    private static readonly TimeSpan LingerWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CrashWithin = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task ClientSession_WithTeamAndEnvironment_HasADriverThatAllItsClientsReachAndNoOther()
    {
        var gateway = await platform.SailAsync();
        var (own, other) = ($"session_id={Guid.NewGuid()}", $"session_id={Guid.NewGuid()}");
        await using var first = Notebook.Start(LifePlatform.Url(gateway, "ada", parameters: [own]), Notebook.Open, Notebook.Ask, Notebook.Stop);
        await using var second = Notebook.Start(LifePlatform.Url(gateway, "ada", parameters: [own]), "spark = SparkSession.builder.remote(URL).getOrCreate()", Notebook.Ask);
        await using var stranger = Notebook.Start(LifePlatform.Url(gateway, "ada", parameters: [other]), "spark = SparkSession.builder.remote(URL).getOrCreate()", Notebook.Ask, Notebook.Stop);

        await first.RunAsync();
        Assert.Contains("kept 7", await first.RunAsync(), StringComparison.Ordinal);
        await second.RunAsync();
        Assert.Contains("kept 7", await second.RunAsync(), StringComparison.Ordinal);
        var session = await OnlyAsync(gateway, "ada");
        await stranger.RunAsync();
        Assert.Contains("TABLE_OR_VIEW_NOT_FOUND", await stranger.RunAsync(), StringComparison.OrdinalIgnoreCase);

        Assert.Matches("^spark-connect-data-[a-z2-7]{8}$", session.SessionName);
        Assert.Equal("sjns-data-control", session.Namespace);
        var sessions = await Shown.SessionsOfAsync(gateway, "ada");
        Assert.Equal(2, sessions.Count);
        var drivers = await Task.WhenAll(sessions.Select(one => platform.DriverAsync(gateway, one)));
        Assert.All(drivers, driver => Assert.NotNull(driver));
        Assert.Distinct(drivers);
        await second.LeaveAsync();
        await Task.WhenAll(first.RunAsync(), stranger.RunAsync());
        foreach (var one in sessions) await EndedAsync(gateway, one);
    }

    [Fact]
    public async Task IdleSession_Ends_AndItsClientReadsWhyAndGoesOn()
    {
        var gateway = await platform.SailAsync();
        var calls = await gateway.MetricAsync("spark_connect_proxy_requests_total");
        await using var notebook = Notebook.Start(LifePlatform.Url(gateway, "ida", LifePlatform.IdleTeam), Notebook.Open, Notebook.Ask, Notebook.Again);
        await notebook.RunAsync();
        var session = await OnlyAsync(gateway, "ida");
        Assert.NotNull(await platform.DriverAsync(gateway, session));

        await EndedAsync(gateway, session);

        var told = await notebook.RunAsync();
        Assert.Contains(Told, told, StringComparison.Ordinal);
        Assert.Contains("no call was open for longer than the idle timeout (12 seconds, last used at", told, StringComparison.Ordinal);
        await GoesOnAsync(gateway, "ida", notebook);
        Assert.InRange(await gateway.MetricAsync("spark_connect_proxy_requests_total") - calls, 1, FewCalls);
        Assert.Equal(["open", "bind", "ready", "ending idle", "end idle"], await LifeAsync(gateway, session));
    }

    [Fact]
    public async Task OldSession_Ends_UnlessAnOperatorHasExtendedIt()
    {
        var gateway = await platform.SailAsync();
        await using var extended = Notebook.Start(LifePlatform.Url(gateway, "eve", LifePlatform.BriefTeam), Notebook.Open, Notebook.Ask, Notebook.Stop);
        await using var old = Notebook.Start(LifePlatform.Url(gateway, "olaf", LifePlatform.BriefTeam), Notebook.Open, Notebook.Ask, Notebook.Again);
        await extended.RunAsync();
        var kept = await OnlyAsync(gateway, "eve");
        var moved = await Shown.ExtendAsync(gateway, kept.SessionRowId, minutes: 1);
        await old.RunAsync();
        var session = await OnlyAsync(gateway, "olaf");

        var ended = await EndedAsync(gateway, session);

        // By then the other would have ended too.
        Assert.True(kept.ExpiresAt < ended.EndedAt, $"{kept.ExpiresAt:O} is not before {ended.EndedAt:O}");
        Assert.Equal(kept.ExpiresAt + TimeSpan.FromMinutes(1), moved.ExpiresAt);
        Assert.Contains("kept 7", await extended.RunAsync(), StringComparison.Ordinal);
        Assert.Equal(["open", "bind", "ready", "extend"], await LifeAsync(gateway, kept));
        var told = await old.RunAsync();
        Assert.Contains(Told, told, StringComparison.Ordinal);
        Assert.Contains("it reached the longest time that a session may live (it was ready since", told, StringComparison.Ordinal);
        await GoesOnAsync(gateway, "olaf", old);
        Assert.Equal(["open", "bind", "ready", "ending max_ttl", "end max_ttl"], await LifeAsync(gateway, session));
        await extended.RunAsync();
    }

    [Fact]
    public async Task ReleasedSession_EndsAfterTheLinger()
    {
        var gateway = await platform.SailAsync();
        await using var notebook = Notebook.Start(LifePlatform.Url(gateway, "rex"), Notebook.Open, Notebook.Stop);
        await notebook.RunAsync();
        var session = await OnlyAsync(gateway, "rex");
        Assert.NotNull(await platform.DriverAsync(gateway, session));

        await notebook.RunAsync();

        await EndedAsync(gateway, session);
        var detail = await Shown.DescribeAsync(gateway, session.SessionRowId);
        var lingered = detail.Audit.Single(row => row.Action == "ending").At - Assert.Single(detail.Bindings).ReleasedAt!.Value;
        var linger = TimeSpan.FromSeconds(LifePlatform.LingerSeconds);
        Assert.InRange(lingered, linger, linger + LingerWithin);
        Assert.Equal(["open", "bind", "ready", "release", "ending released", "end released"], await LifeAsync(gateway, session));
        await notebook.LeaveAsync();
    }

    [Fact]
    public async Task ClosedSession_TellsItsClientWhoDidItAndWhy()
    {
        var gateway = await platform.SailAsync();
        await using var notebook = Notebook.Start(LifePlatform.Url(gateway, "cleo"), Notebook.Open, Notebook.Ask, Notebook.Again);
        await notebook.RunAsync();
        var session = await OnlyAsync(gateway, "cleo");
        Assert.NotNull(await platform.DriverAsync(gateway, session));

        await gateway.SessionsAsync("close", session.SessionRowId, "--as", "jane", "--note", "maintenance tonight");

        var told = await notebook.RunAsync();
        Assert.Contains(Told, told, StringComparison.Ordinal);
        Assert.Contains("an operator closed it (admin as jane (unverified): maintenance tonight)", told, StringComparison.Ordinal);
        await EndedAsync(gateway, session);
        await GoesOnAsync(gateway, "cleo", notebook);
        Assert.Equal(["open", "bind", "ready", "ending closed_by_operator", "end closed_by_operator"], await LifeAsync(gateway, session));
    }

    [Fact]
    public async Task DriverKilledInMidQuery_TellsItsClientHowItEnded_AndANewOneIsThere()
    {
        var gateway = await platform.SparkAsync();
        await using var counter = TcpCutter.Start(gateway.Port);
        await using var notebook = Notebook.Start(LifePlatform.Url(counter.Port, "kim"), "spark = SparkSession.builder.remote(URL).getOrCreate()\nprint(\"sum\", spark.range(100_000).selectExpr(\"sum(id) AS s\").first().s)", LongQuery, Notebook.Again);
        Assert.Contains("sum 4999950000", await notebook.RunAsync(), StringComparison.Ordinal);
        var session = await OnlyAsync(gateway, "kim");
        Assert.NotNull(await platform.DriverAsync(gateway, session));
        notebook.Begin();
        await notebook.RunningAsync();
        await Deadlines.UntilAsync("the driver's last words", async () => (await gateway.SessionsAsync("logs", session.SessionRowId)).Contains("last words", StringComparison.Ordinal));
        var calls = counter.Calls;

        await platform.KillDriverAsync(gateway, session);

        var told = await notebook.EndAsync(CrashWithin);
        Assert.InRange(counter.Calls - calls, 0, FewCallsOfACrash);
        Assert.Contains(Told, told, StringComparison.Ordinal);
        Assert.Matches(@"its driver ended by itself \(.*it was killed .*code 137.*The last lines of its log: .*last words", told);
        await EndedAsync(gateway, session);
        await GoesOnAsync(gateway, "kim", notebook);
        Assert.Equal(["open", "bind", "ready", "end crashed"], await LifeAsync(gateway, session));
    }

    [Fact]
    public async Task SessionOpenedByAnOperator_IsItsFirstClients_UntilTheOperatorClosesIt()
    {
        var gateway = await platform.SailAsync();
        var opened = await Shown.OpenAsync(gateway, LifePlatform.Team, LifePlatform.EnvironmentName);
        await Deadlines.UntilAsync("the session to be ready", async () => (await Shown.DescribeAsync(gateway, opened.SessionRowId)).Session.State == "ready", LifePlatform.Limit);
        var session = (await Shown.DescribeAsync(gateway, opened.SessionRowId)).Session;
        var driver = await platform.DriverAsync(gateway, session);
        Assert.NotNull(driver);

        await using var notebook = Notebook.Start($"{opened.ConnectionString};user_id=pat", Notebook.Open, Notebook.Ask);
        await notebook.RunAsync();

        Assert.Equal(session.SessionRowId, (await OnlyAsync(gateway, "pat")).SessionRowId);
        Assert.Equal(driver, await platform.DriverAsync(gateway, session));
        var binding = Assert.Single((await Shown.DescribeAsync(gateway, session.SessionRowId)).Bindings);
        Assert.Equal(("pat", "bound", "precreated"), (binding.User, binding.State, binding.Via));
        await gateway.SessionsAsync("close", session.SessionRowId, "--as", "jane", "--note", "maintenance tonight");
        var told = await notebook.RunAsync();
        Assert.Contains("an operator closed it (admin as jane (unverified): maintenance tonight)", told, StringComparison.Ordinal);
        Assert.Contains("The session_id of its connection string is used up", told, StringComparison.Ordinal);
        await EndedAsync(gateway, session);
        Assert.Equal(["open", "ready", "bind", "ending closed_by_operator", "end closed_by_operator"], await LifeAsync(gateway, session));
        Assert.Single(await Shown.SessionsOfAsync(gateway, "pat"));
    }

    [Fact]
    public async Task GatewayToldToEnd_AndStartedAgain_KeepsWhatThePlatformKeeps()
    {
        var gateway = await platform.SailAsync();
        await using var notebook = Notebook.Start(LifePlatform.Url(gateway, "gil"), Notebook.Open, Notebook.Ask, Notebook.Again);
        await notebook.RunAsync();
        var session = await OnlyAsync(gateway, "gil");
        var before = await platform.DriverAsync(gateway, session);
        Assert.NotNull(before);

        Assert.Equal(0, await gateway.TerminateAsync());
        await gateway.StartAgainAsync();

        var after = platform.AfterRestart;
        Assert.Contains(after.ClientReads, await notebook.RunAsync(), StringComparison.Ordinal);
        Assert.Equal(after.DriverOf(before), await platform.DriverAsync(gateway, session));
        Assert.Equal(after.Life, await LifeAsync(gateway, session));
        Assert.Contains("again 4", await notebook.RunAsync(), StringComparison.Ordinal);
        await notebook.LeaveAsync();
        foreach (var one in await Shown.SessionsOfAsync(gateway, "gil")) await EndedAsync(gateway, one);
    }

    private static async Task<ShownSession> OnlyAsync(GatewayProcess gateway, string user) => Assert.Single(await Shown.SessionsOfAsync(gateway, user));

    private static async Task<IReadOnlyList<string>> LifeAsync(GatewayProcess gateway, ShownSession session) => (await Shown.DescribeAsync(gateway, session.SessionRowId)).Life;

    /// <summary>getOrCreate() after the end of a session gives the user one more, which its stop() ends.</summary>
    private async Task GoesOnAsync(GatewayProcess gateway, string user, Notebook notebook)
    {
        Assert.Contains("again 4", await notebook.RunAsync(), StringComparison.Ordinal);
        await notebook.LeaveAsync();
        var sessions = await Shown.SessionsOfAsync(gateway, user);
        Assert.Equal(2, sessions.Count);
        await EndedAsync(gateway, sessions[^1]);
    }

    /// <summary>Waits for the session's end, with which its driver is gone, and then for that of all that was made for it.</summary>
    private async Task<ShownSession> EndedAsync(GatewayProcess gateway, ShownSession session)
    {
        ShownSession now = session;
        await Deadlines.UntilAsync($"the end of {session.SessionName}", async () => (now = (await Shown.DescribeAsync(gateway, session.SessionRowId)).Session).State == "ended", LifePlatform.Limit);
        Assert.Null(await platform.DriverAsync(gateway, now));
        await Deadlines.UntilAsync($"nothing left of {session.SessionName}", () => platform.IsClearedAsync(gateway, now), LifePlatform.Limit);
        return now;
    }
}
