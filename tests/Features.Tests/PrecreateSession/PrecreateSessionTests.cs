using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using Close = SparkGateway.Features.CloseSession.CloseSession;
using Precreate = SparkGateway.Features.PrecreateSession.PrecreateSession;

namespace SparkGateway.Features.Tests.PrecreateSession;

public sealed class PrecreateSessionTests
{
    private static readonly Caller Operator = new("ops", "10.0.0.1:1", "test");

    [Fact]
    public async Task Precreate_Defaults_LaunchesAtOnceForNobody()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;

        var opened = await OpenAsync(world);

        Assert.Equal((SessionState.Starting, null, "data", "dev"), (opened.Session.State, opened.Session.OpenedBy, opened.Session.Team, opened.Session.Environment));
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        Assert.Equal((opened.Session.Id, ""), (launch.Spec.SessionId, launch.Spec.User));
        Assert.Contains($"open {opened.Session.Name} ops", world.Store.Audit);
        launch.Succeed();
    }

    [Fact]
    public async Task FirstCall_WithTheId_ClaimsTheSessionAndStartsNoOther()
    {
        await using var world = new World();
        var opened = await OpenAsync(world);
        var key = new ClientSessionKey("ann", opened.ClientSessionId);

        var first = await world.ForwardAsync(key);
        var second = await world.ForwardAsync(key);

        Assert.Equal((opened.Session.Id, BoundVia.PreCreated), (first.Route.Session.Id, first.Via));
        Assert.Same(first, second);
        Assert.Equal("ann", world.SessionOf(key).OpenedBy);
        Assert.Single(world.Platform.Launched);
    }

    [Fact]
    public async Task FirstCall_OfAnotherUserWithAClaimedId_GetsASessionOfItsOwn()
    {
        await using var world = new World();
        var opened = await OpenAsync(world);
        await world.ForwardAsync(new ClientSessionKey("ann", opened.ClientSessionId));

        var other = await world.ForwardAsync(new ClientSessionKey("bob", opened.ClientSessionId));

        Assert.NotEqual(opened.Session.Id, other.Route.Session.Id);
    }

    [Theory]
    [InlineData(SparkRpc.ReleaseSession)]
    [InlineData(SparkRpc.ReleaseExecute)]
    public async Task FirstCall_ThatOnlySaysGoodbye_ClaimsNothing(SparkRpc rpc)
    {
        await using var world = new World();
        var opened = await OpenAsync(world);
        var key = new ClientSessionKey("ann", opened.ClientSessionId);

        var answer = await world.AdmitAsync(key, rpc: rpc);

        Assert.IsType<Admission.AnswerOk>(answer.Value);
        Assert.Null(world.Store.BindingOf(key));
    }

    [Fact]
    public async Task Start_NobodyWaitsLongerThanTheGrace_GoesOn()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var opened = await OpenAsync(world);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);

        world.Time.Advance(world.Options.StartGrace + TimeSpan.FromSeconds(1));
        launch.Succeed();

        var live = await world.ForwardAsync(new ClientSessionKey("ann", opened.ClientSessionId));
        Assert.Equal(opened.Session.Id, live.Route.Session.Id);
    }

    [Fact]
    public async Task FirstCall_AfterTheSessionEndedUnclaimed_ReadsWhy()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var opened = await OpenAsync(world);
        await world.Platform.NextLaunchAsync(world.Deadline);
        await world.SendAsync(new Close.Request(SessionRef.To(opened.Session.Id), "not needed", Operator));

        var error = await world.RefusedAsync(new ClientSessionKey("ann", opened.ClientSessionId));

        Assert.Equal(ErrorCode.SessionChanged, error.Code);
        Assert.Contains("an operator closed it (ops: not needed)", error.Text, StringComparison.Ordinal);
        Assert.Contains("without session_id", error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Data", null, "team", "environment")]
    [InlineData(null, "a b", "environment", "team")]
    [InlineData("Data", "a b", "team", "environment")]
    public async Task Precreate_SeveralFaults_NamesThemAll(string? team, string? environment, params string[] fields)
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Precreate.Request(team, environment, Operator));

        Assert.Equal(ErrorCode.InvalidArgument, refused.Error!.Code);
        Assert.Equal(fields.Order(), refused.Error.Faults.Select(fault => fault.Field).Order());
        Assert.All(refused.Error.Faults, fault => Assert.Contains(fault.Text, refused.Error.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Precreate_NoTeamAndNoDefault_IsToldSo()
    {
        await using var world = new World(options => options with { Policy = options.Policy with { Default = null } });

        var refused = await world.SendAsync(new Precreate.Request(null, null, Operator));

        Assert.Equal("team", Assert.Single(refused.Error!.Faults).Field);
    }

    [Fact]
    public async Task Precreate_TeamThatMayNot_IsRefusedByTheRulesOfCalls()
    {
        await using var world = new World(options => options with { Policy = options.Policy with { AnyTeam = false, Teams = [new TeamRef("data", "dev")] } });

        var refused = await world.SendAsync(new Precreate.Request("ml", "dev", Operator));

        Assert.Equal(ErrorCode.PermissionDenied, refused.Error!.Code);
        Assert.Empty(world.Platform.Launched);
    }

    [Fact]
    public async Task Precreate_OverTheTotal_IsRefused()
    {
        await using var world = new World(options => options with { Limits = new SessionLimits(1, 1) });
        await OpenAsync(world);

        var refused = await world.SendAsync(new Precreate.Request(null, null, Operator));

        Assert.Equal(ErrorCode.ResourceExhausted, refused.Error!.Code);
    }

    private static async Task<Precreate.Opened> OpenAsync(World world) => (await world.SendAsync(new Precreate.Request(null, null, Operator))).Value;
}
