using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Features.Tests.OpenSession;

public sealed class SessionStarterTests
{
    private static readonly ClientSessionKey Key = World.NewKey();

    private static async Task<(World World, Session Session)> ClaimedAsync(Guid? owner = null, Func<FeatureOptions, FeatureOptions>? change = null)
    {
        var world = new World(change);
        world.Platform.IsInstant = false;
        var opened = await world.Store.OpenAsync(
            new NewSession(Guid.NewGuid(), new SessionName("ns", "spark-connect-data-aaaaaaaa"), "local", "data", "dev", "ann", owner ?? world.Options.Self.Id),
            Key, world.Options.Limits, Caller.Gateway, world.Deadline);
        return (world, opened.Value.Bound.Session);
    }

    [Fact]
    public async Task WaitReady_ManyWaitersAndBegins_OneLaunchOneRoute()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;

        for (var n = 0; n < 3; n++) world.Starter.Begin(session);
        var waits = Enumerable.Range(0, 10).Select(_ => world.Starter.WaitReadyAsync(session, world.Deadline)).ToList();
        (await world.Platform.NextLaunchAsync(world.Deadline)).Succeed();
        var routes = await Task.WhenAll(waits);

        Assert.Single(world.Platform.Launched);
        Assert.Single(routes.Select(route => route.Value).Distinct());
        Assert.Same(routes[0].Value, world.Table.FindRoute(session.Id));
        Assert.Contains($"ready {session.Name}", world.Store.Audit);
    }

    [Fact]
    public async Task WaitReady_LastWaiterGone_StartIsGivenUpAfterTheGrace()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        await world.Platform.NextLaunchAsync(world.Deadline);
        await LeaveAsync(world, session);

        world.Time.Advance(world.Options.StartGrace);

        Assert.Equal(session.Id, await world.Platform.NextStopAsync(world.Deadline));
        var late = await world.Starter.WaitReadyAsync(session, world.Deadline);
        Assert.Equal(ErrorCode.SessionChanged, late.Error!.Code);
        Assert.Equal(EndReason.StartAbandoned, world.SessionOf(Key).EndReason);
    }

    [Fact]
    public async Task Begin_NobodyEverWaits_StartIsGivenUpAfterTheGrace()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        await world.Platform.NextLaunchAsync(world.Deadline);

        world.Time.Advance(world.Options.StartGrace);

        Assert.Equal(session.Id, await world.Platform.NextStopAsync(world.Deadline));
    }

    [Fact]
    public async Task WaitReady_NewWaiterInTheGrace_KeepsTheStart()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        await LeaveAsync(world, session);
        world.Time.Advance(world.Options.StartGrace - TimeSpan.FromSeconds(1));

        var back = world.Starter.WaitReadyAsync(session, world.Deadline);
        world.Time.Advance(world.Options.StartGrace * 2);
        launch.Succeed();

        Assert.True((await back).IsOk);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task WaitReady_GraceAfterTheStartIsDone_EndsNothing()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        (await world.Platform.NextLaunchAsync(world.Deadline)).Succeed();
        await wait;

        world.Time.Advance(world.Options.StartGrace * 2);

        Assert.True((await world.Starter.WaitReadyAsync(session, world.Deadline)).IsOk);
        Assert.Equal(SessionState.Ready, world.SessionOf(Key).State);
    }

    [Fact]
    public async Task Launch_Fails_AllWaitersGetThePlatformsErrorAndTheSessionEnds()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        var failure = new GatewayError(ErrorCode.ResourceExhausted, Blame.Cluster, "All 8 drivers are in use.\nby ann: 8");
        world.Starter.Begin(session);
        var waits = Enumerable.Range(0, 3).Select(_ => world.Starter.WaitReadyAsync(session, world.Deadline)).ToList();
        (await world.Platform.NextLaunchAsync(world.Deadline)).Fail(failure);

        Assert.All(await Task.WhenAll(waits), wait => Assert.Equal(failure, wait.Error));
        Assert.Equal((EndReason.StartFailed, "All 8 drivers are in use."), (world.SessionOf(Key).EndReason, world.SessionOf(Key).EndDetail));
        Assert.Equal(BindingState.Ended, world.Store.BindingOf(Key)!.State);

        // Stock clients pass over the first answer: the next one says as much, to the opener.
        var next = await world.RefusedAsync(Key);
        Assert.Equal(ErrorCode.SessionChanged, next.Code);
        Assert.Contains("could not be started (All 8 drivers are in use)", next.Text, StringComparison.Ordinal);
        Assert.EndsWith(".\nby ann: 8", next.Text, StringComparison.Ordinal);
        Assert.Equal("", world.Get<LastWords>().For(world.SessionOf(Key), "bob"));
    }

    [Fact]
    public async Task Launch_Throws_WaitersGetAnErrorAndTheSessionEnds()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.ExpectsErrors = true;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        (await world.Platform.NextLaunchAsync(world.Deadline)).Throw(new InvalidOperationException("boom"));

        Assert.Equal(ErrorCode.Internal, (await wait).Error!.Code);
        Assert.DoesNotContain("boom", (await wait).Error!.Text, StringComparison.Ordinal);
        Assert.Equal(EndReason.StartFailed, world.SessionOf(Key).EndReason);
        Assert.Contains(world.Logs.Errors, text => text.Contains("boom", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Launch_SessionEndedMeanwhile_DriverIsStopped()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        await world.Store.EndAsync(session.Id, EndReason.MaxTtl, "", Caller.Gateway, world.Deadline);
        launch.Succeed();

        Assert.Contains("longest time", (await wait).Error!.Text, StringComparison.Ordinal);
        Assert.Equal(session.Id, await world.Platform.NextStopAsync(world.Deadline));
        Assert.Null(world.Table.FindRoute(session.Id));
    }

    [Fact]
    public async Task Launch_FailsBecauseTheSessionWasEnded_WaitersGetThatReason()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        await world.Store.EndAsync(session.Id, EndReason.ClosedByOperator, "by ops", Caller.Gateway, world.Deadline);
        launch.Fail(new GatewayError(ErrorCode.StartFailed, Blame.Driver, "The driver was killed by signal 15."));

        Assert.Contains("an operator closed it (by ops)", (await wait).Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_StoreDownWhenReady_ItsWaitersWaitUntilItIsTold()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        launch.Succeed();
        await world.Time.TimerAsync(world.Options.StoreRetryEvery, world.Deadline);
        Assert.False(wait.IsCompleted);

        world.Store.Down = null;
        world.Time.Advance(world.Options.StoreRetryEvery);

        Assert.True((await wait).IsOk);
        Assert.Equal(SessionState.Ready, world.SessionOf(Key).State);
    }

    [Fact]
    public async Task Launch_StoreDownWhenReadyAndNobodyWaits_DriverIsStoppedAndTheEndIsToldLater()
    {
        // The next try comes later than the end of the grace.
        var (world, session) = await ClaimedAsync(change: options => options with { StoreRetryEvery = options.StartGrace * 2 });
        await using var _ = world;
        world.Starter.Begin(session);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        world.Store.Down = GatewayError.Unavailable(Blame.Cluster, "The store cannot be reached.");
        launch.Succeed();
        await world.Time.TimerAsync(world.Options.StoreRetryEvery, world.Deadline);

        world.Time.Advance(world.Options.StartGrace);

        Assert.Equal(session.Id, await world.Platform.NextStopAsync(world.Deadline));
        await world.Time.TimerAsync(world.Options.StoreRetryEvery, world.Deadline);
        await world.UntilAsync(() => world.Get<TrackedTasks>().Count == 1);
        world.Store.Down = null;
        world.Time.Advance(world.Options.StoreRetryEvery);
        var told = world.Starter.WaitReadyAsync(session, world.Deadline);
        Assert.Equal(ErrorCode.SessionChanged, (await world.StepUntilAsync(told, TimeSpan.FromMilliseconds(50))).Error!.Code);
        Assert.Equal(EndReason.StartFailed, world.SessionOf(Key).EndReason);
    }

    [Fact]
    public async Task WaitReady_OtherReplicaNeverGetsReady_EndsAtTheStartLimit()
    {
        var (world, session) = await ClaimedAsync(owner: Guid.NewGuid());
        await using var _ = world;

        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        await world.StepUntilAsync(wait, TimeSpan.FromSeconds(1));

        Assert.Equal(ErrorCode.StartFailed, (await wait).Error!.Code);
        Assert.Contains("300 seconds", (await wait).Error!.Text, StringComparison.Ordinal);
        Assert.Equal(SessionState.Starting, world.SessionOf(Key).State);
        Assert.Empty(world.Platform.Launched);
    }

    [Fact]
    public async Task WaitReady_OwnWithoutALaunch_IsNotBlamedOnAnother()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;

        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        await world.StepUntilAsync(wait, TimeSpan.FromSeconds(10));

        Assert.Equal(ErrorCode.StartFailed, (await wait).Error!.Code);
        Assert.Contains("its result was lost", (await wait).Error!.Text, StringComparison.Ordinal);
        Assert.Equal(EndReason.StartFailed, world.SessionOf(Key).EndReason);
    }

    [Fact]
    public async Task WaitReady_OtherReplicaFails_SaysWhy()
    {
        var (world, session) = await ClaimedAsync(owner: Guid.NewGuid());
        await using var _ = world;
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        await world.Time.TimerAsync(TimeSpan.FromSeconds(1), world.Deadline);
        await world.Store.EndAsync(session.Id, EndReason.StartFailed, "exit code 1", Caller.Gateway, world.Deadline);

        Assert.Contains("(exit code 1)", (await world.StepUntilAsync(wait, TimeSpan.FromSeconds(1))).Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WaitReady_ReadyOnAnotherReplica_LeadsToWhereItsDriverIsNow()
    {
        var (world, session) = await ClaimedAsync(Guid.NewGuid());
        await using var _ = world;
        await world.Store.MarkReadyAsync(session.Id, session.OwnerReplica!.Value, "10.0.0.1:15002", "pod-1", TimeSpan.FromHours(4), world.Deadline);
        world.Platform.Locate = _ => Result<RunningDriver?>.Ok(new RunningDriver("10.0.0.2:15002", "pod-1"));

        var route = await world.Starter.WaitReadyAsync(session, world.Deadline);

        Assert.Equal("10.0.0.2:15002", route.Value.Address);
    }

    [Fact]
    public async Task WaitReady_ItsDriverIsGone_EndsAsLostAndPublishesNoRoute()
    {
        var (world, session) = await ClaimedAsync(Guid.NewGuid());
        await using var _ = world;
        await world.Store.MarkReadyAsync(session.Id, session.OwnerReplica!.Value, "10.0.0.1:15002", "pod-1", TimeSpan.FromHours(4), world.Deadline);
        world.Platform.Locate = _ => Result<RunningDriver?>.Ok(null);

        var lost = await world.Starter.WaitReadyAsync(session, world.Deadline);

        Assert.Equal(ErrorCode.SessionChanged, lost.Error!.Code);
        Assert.Equal(EndReason.Lost, world.SessionOf(Key).EndReason);
        Assert.Null(world.Table.FindRoute(session.Id));
    }

    [Fact]
    public async Task WaitReady_ItsDriverCannotBeTold_EndsNothing()
    {
        var (world, session) = await ClaimedAsync(Guid.NewGuid());
        await using var _ = world;
        await world.Store.MarkReadyAsync(session.Id, session.OwnerReplica!.Value, "10.0.0.1:15002", "pod-1", TimeSpan.FromHours(4), world.Deadline);
        world.Platform.Locate = _ => new GatewayError(ErrorCode.Unavailable, Blame.Cluster, "The API server does not answer.");

        var unknown = await world.Starter.WaitReadyAsync(session, world.Deadline);

        Assert.Equal(ErrorCode.Unavailable, unknown.Error!.Code);
        Assert.Equal(SessionState.Ready, world.SessionOf(Key).State);
    }

    [Fact]
    public async Task WaitReady_StaleReadySessionThatEnded_GetsNoRoute()
    {
        await using var world = new World();
        var app = await world.AttachAsync();
        await world.Store.EndAsync(app.Id, EndReason.Replaced, "", Caller.Gateway, world.Deadline);

        Assert.Equal(ErrorCode.SessionChanged, (await world.Starter.WaitReadyAsync(app, world.Deadline)).Error!.Code);
        Assert.Empty(world.Table.Routes);
    }

    [Fact]
    public async Task Stop_WhileADriverStarts_EndsItsSessionAsLost()
    {
        var (world, session) = await ClaimedAsync();
        await using var _ = world;
        world.Starter.Begin(session);
        var wait = world.Starter.WaitReadyAsync(session, world.Deadline);
        await world.Platform.NextLaunchAsync(world.Deadline);

        await world.Get<TrackedTasks>().StopAsync();

        Assert.Equal(ErrorCode.SessionChanged, (await wait).Error!.Code);
        Assert.Equal(EndReason.Lost, world.SessionOf(Key).EndReason);
    }

    private static async Task LeaveAsync(World world, Session session)
    {
        using var client = new CancellationTokenSource();
        var wait = world.Starter.WaitReadyAsync(session, client.Token);
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }
}
