using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Features.Tests.RelayStream;

public sealed class FirstCallTests
{
    [Fact]
    public async Task Admit_UnknownClientSession_OpensADriverAndForwards()
    {
        await using var world = new World();
        var key = World.NewKey();

        var binding = await world.ForwardAsync(key);

        var session = binding.Route.Session;
        Assert.Equal(SessionState.Ready, session.State);
        Assert.Matches("^sjns-data-dev/spark-connect-data-[a-z2-7]{8}$", session.Name.ToString());
        Assert.Equal((key, BoundVia.OnDemand), (binding.Key, binding.Via));
        Assert.Equal($"Bearer token-{session.Id:N}", Encoding.UTF8.GetString(binding.Route.Authorization.Span));
        Assert.Same(binding, world.Table.Find(key));
        var spec = Assert.Single(world.Platform.Launched);
        Assert.Equal((session.Id, session.Name, "data", "dev", "ann"), (spec.SessionId, spec.Name, spec.Team, spec.Environment, spec.User));
        Assert.Equal(world.Options.Self.Id, session.OwnerReplica);
    }

    [Fact]
    public async Task Admit_ManyFirstCallsOfOneClientSession_LaunchOnce()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var key = World.NewKey();
        var connections = Enumerable.Range(0, 4).Select(_ => new ConnectionContext()).ToList();

        var calls = Enumerable.Range(0, 20).Select(n => world.AdmitAsync(key, connections[n % 4])).ToList();
        (await world.Platform.NextLaunchAsync(world.Deadline)).Succeed();
        var results = await world.StepUntilAsync(Task.WhenAll(calls), TimeSpan.FromMilliseconds(50));

        Assert.Single(world.Platform.Launched);
        Assert.Single(results.Select(result => Assert.IsType<Admission.Forward>(result.Value).Binding).Distinct());
        Assert.Single(world.Store.Audit, entry => entry.StartsWith("open", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Admit_BoundByAnotherReplicaThatStarts_WaitsForIt()
    {
        await using var first = new World();
        await using var second = new World(replica: first);
        first.Platform.IsInstant = false;
        var key = World.NewKey();

        var opener = first.AdmitAsync(key);
        var launch = await first.Platform.NextLaunchAsync(first.Deadline);
        var waiter = second.AdmitAsync(key);
        await first.Time.TimerAsync(TimeSpan.FromSeconds(1), first.Deadline);
        launch.Succeed();
        await opener;
        var binding = Assert.IsType<Admission.Forward>((await first.StepUntilAsync(waiter, TimeSpan.FromSeconds(1))).Value).Binding;

        Assert.Empty(second.Platform.Launched);
        Assert.Equal(first.Table.Find(key)!.Route.Address, binding.Route.Address);
        Assert.True(binding.Route.Authorization.Span.SequenceEqual(first.Table.Find(key)!.Route.Authorization.Span));
    }

    [Fact]
    public async Task Admit_AfterARestart_GoesOnWithTheAttachedDriver()
    {
        await using var before = new World();
        await before.AttachAsync();
        var key = World.NewKey();
        await before.ForwardAsync(key, headers: new("app", "ns", null, null));

        await using var after = new World(replica: before);
        var binding = await after.ForwardAsync(key);

        Assert.Equal("10.0.0.9:15002", binding.Route.Address);
        Assert.True(binding.Route.PassesClientAuthorization);
        Assert.Equal(BoundVia.Header, binding.Via);
        Assert.Empty(after.Platform.Launched);
    }

    [Fact]
    public async Task Admit_NamedByHeaders_BindsToTheAttachedDriver()
    {
        await using var world = new World();
        var app = await world.AttachAsync();

        var full = await world.ForwardAsync(World.NewKey(), headers: new("app", "ns", null, null));
        var short_ = await world.ForwardAsync(World.NewKey("bob"), headers: new("app", null, null, null));

        Assert.Equal(app.Id, full.Route.Session.Id);
        Assert.Same(full.Route, short_.Route);
    }

    [Fact]
    public async Task Admit_OnDemandSessionOfAnotherUser_IsDenied()
    {
        await using var world = new World();
        var anns = (await world.ForwardAsync(World.NewKey("ann"))).Route.Session;
        var hints = new RouteHints(anns.Name.Name, anns.Name.Namespace, null, null);

        Assert.Equal(ErrorCode.PermissionDenied, (await world.RefusedAsync(World.NewKey("bob"), headers: hints)).Code);
        Assert.Equal(ErrorCode.PermissionDenied, (await world.RefusedAsync(World.NewKey(""), headers: hints)).Code);
        Assert.Equal(anns.Id, (await world.ForwardAsync(World.NewKey("ann"), headers: hints)).Route.Session.Id);
    }

    [Fact]
    public async Task Admit_AbsorbableConfig_StartsNothing()
    {
        await using var world = new World();
        var hints = new RouteHints("app", null, null, null);

        var result = await world.AdmitAsync(World.NewKey(), rpc: SparkRpc.Config, config: hints, absorbable: true);

        Assert.Equal(new Admission.Absorb(hints), result.Value);
        Assert.Empty(world.Store.Audit);
    }

    [Theory]
    [InlineData(SparkRpc.ReleaseSession)]
    [InlineData(SparkRpc.ReleaseExecute)]
    public async Task Admit_UnboundRelease_IsAnsweredWithoutADriver(SparkRpc rpc)
    {
        await using var world = new World();

        Assert.IsType<Admission.AnswerOk>((await world.AdmitAsync(World.NewKey(), rpc: rpc)).Value);
        Assert.Empty(world.Store.Audit);
    }

    [Fact]
    public async Task Admit_OverTheLimit_IsRefusedAndAudited()
    {
        await using var world = new World(options => options with { Limits = new(MaxSessions: 100, MaxPerUser: 1) });
        await world.ForwardAsync(World.NewKey());

        Assert.Equal(ErrorCode.ResourceExhausted, (await world.RefusedAsync(World.NewKey())).Code);
        Assert.StartsWith("deny ann/", world.Store.Audit[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admit_StoreDown_IsUnavailableAndLiveBindingsGoOn()
    {
        await using var world = new World();
        var key = World.NewKey();
        await world.ForwardAsync(key);
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");

        await world.ForwardAsync(key);
        Assert.Equal(ErrorCode.Unavailable, (await world.RefusedAsync(World.NewKey())).Code);
    }

    [Fact]
    public async Task Admit_IdsOfAMegabyte_AreRefusedBeforeTheStoreIsAsked()
    {
        await using var world = new World();
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");

        var error = await world.RefusedAsync(new ClientSessionKey(new string('u', 1 << 20), new string('s', 1 << 20)));

        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.InRange(error.Text.Length, 1, 400);
    }

    [Fact]
    public async Task Admit_DriverCannotStart_OnlyTheOpenerSeesItsLog()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var key = World.NewKey();
        var opener = world.AdmitAsync(key);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);

        // No rule lets another user wait for a start; the text is checked in case one ever does.
        var other = World.NewKey("bob");
        await world.Store.BindAsync(other, launch.Spec.SessionId, BoundVia.Connection, Caller.Gateway, default);
        var connection = new ConnectionContext();
        var stranger = world.AdmitAsync(other, connection);
        await connection.Gate.WaitAsync(world.Deadline);
        launch.Fail(new GatewayError(ErrorCode.StartFailed, Blame.Driver, "The driver exited with code 1.\nsecret line of the log"));

        Assert.Contains("secret line", (await opener).Error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret line", (await stranger).Error!.Text, StringComparison.Ordinal);
        Assert.Equal("The driver exited with code 1.", world.SessionOf(key).EndDetail);
        Assert.Equal(EndReason.StartFailed, world.SessionOf(key).EndReason);
    }
}
