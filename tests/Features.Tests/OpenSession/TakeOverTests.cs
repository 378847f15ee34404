using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.TendReplica;

namespace SparkGateway.Features.Tests.OpenSession;

/// <summary>A replica that dies, or falls silent, while it starts a driver.</summary>
public sealed class TakeOverTests
{
    private const string Outliving = "kubernetes";
    private static readonly ClientSessionKey Key = World.NewKey();

    /// <summary>Between two looks of a waiter at a start of another replica.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>Two replicas on one store; the first has claimed a session.</summary>
    private static async Task<(World First, World Second, Session Session)> ClaimedAsync(string platform)
    {
        var first = new World();
        var second = new World(replica: first);
        foreach (var world in new[] { first, second }) (world.Platform.Name, world.Platform.IsInstant) = (platform, false);
        var opened = await first.Store.OpenAsync(
            new NewSession(Guid.NewGuid(), new SessionName("ns", "spark-connect-data-aaaaaaaa"), platform, "data", "dev", "ann", first.Options.Self.Id),
            Key, first.Options.Limits, Caller.Gateway, first.Deadline);
        return (first, second, opened.Value.Bound.Session);
    }

    [Fact]
    public async Task WaitReady_DeadReplicaWhoseDriversLiveOn_StartIsTakenOver()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;

        var wait = second.Starter.WaitReadyAsync(session, second.Deadline);
        var launch = await second.PollUntilAsync(second.Platform.NextLaunchAsync(second.Deadline).AsTask(), TimeSpan.FromSeconds(1));
        launch.Succeed();

        Assert.Equal(session.Name, launch.Spec.Name);
        Assert.True((await wait).IsOk);
        Assert.Equal((SessionState.Ready, second.Options.Self.Id), (second.SessionOf(Key).State, second.SessionOf(Key).OwnerReplica));
        Assert.Contains($"adopt {session.Name}", second.Store.Audit);
    }

    [Fact]
    public async Task WaitReady_LivingReplica_IsLeftAloneForTheWholeStart()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        var own = first.Starter.WaitReadyAsync(session, first.Deadline);
        var launch = await first.Platform.NextLaunchAsync(first.Deadline);
        var wait = second.Starter.WaitReadyAsync(session, second.Deadline);

        for (var step = 0; step < 10; step++)
        {
            var renewals = first.Store.Renewals;
            first.Time.Advance(first.Options.LaunchRenewEvery);
            await first.Store.RenewedAsync(renewals + 1, first.Deadline);
        }

        launch.Succeed();
        Assert.True((await own).IsOk);
        Assert.True((await second.PollUntilAsync(wait, TimeSpan.FromSeconds(1))).IsOk);
        Assert.Empty(second.Platform.Launched);
        Assert.DoesNotContain($"adopt {session.Name}", second.Store.Audit);
    }

    [Fact]
    public async Task WaitReady_OnAnotherReplicaOnly_StartIsKeptUntilItGoesToo()
    {
        var (first, second, session) = await ClaimedAsync(Session.LocalPlatform);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        await first.Platform.NextLaunchAsync(first.Deadline);
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(second.Deadline);
        var wait = second.Starter.WaitReadyAsync(session, leaves.Token);
        for (var passed = TimeSpan.Zero; passed <= first.Options.StartGrace * 2; passed += Poll)
        {
            await second.Time.TimerAsync(Poll, second.Deadline);
            first.Time.Advance(Poll);
        }

        Assert.Equal(0, first.Platform.StopsLeft);
        Assert.Equal(SessionState.Starting, first.SessionOf(Key).State);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        var stop = first.Platform.NextStopAsync(first.Deadline).AsTask();
        await first.StepUntilAsync(stop, first.Options.StartGrace / 2);

        Assert.Equal(session.Id, await stop);
        Assert.Equal(EndReason.StartAbandoned, first.SessionOf(Key).EndReason);
    }

    [Fact]
    public async Task Launch_ReadyAfterATakeOver_LeavesTheDriverToTheOther()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        var own = first.Starter.WaitReadyAsync(session, first.Deadline);
        var late = await first.Platform.NextLaunchAsync(first.Deadline);
        Lapse(first, session);
        Assert.Equal(1, (await second.Starter.TakeUpLapsedAsync(second.Deadline)).Value);
        var launch = await second.Platform.NextLaunchAsync(second.Deadline);

        late.Succeed();
        await first.Time.TimerAsync(TimeSpan.FromSeconds(1), first.Deadline);
        launch.Succeed();
        await second.UntilAsync(() => second.SessionOf(Key).State == SessionState.Ready);
        first.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.True((await first.PollUntilAsync(own, TimeSpan.FromSeconds(1))).IsOk);
        Assert.Equal(0, first.Platform.StopsLeft);
        Assert.Equal((SessionState.Ready, second.Options.Self.Id), (first.SessionOf(Key).State, first.SessionOf(Key).OwnerReplica));
    }

    [Fact]
    public async Task Launch_FailsAfterATakeOver_EndsNothing()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        var late = await first.Platform.NextLaunchAsync(first.Deadline);
        Lapse(first, session);
        await second.Starter.TakeUpLapsedAsync(second.Deadline);
        var launch = await second.Platform.NextLaunchAsync(second.Deadline);
        var own = first.Starter.WaitReadyAsync(session, first.Deadline);

        late.Fail(new GatewayError(ErrorCode.StartFailed, Blame.Driver, "No answer in time."));
        await first.Time.TimerAsync(TimeSpan.FromSeconds(1), first.Deadline);
        launch.Succeed();
        await second.UntilAsync(() => second.SessionOf(Key).State == SessionState.Ready);
        first.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.True((await first.PollUntilAsync(own, TimeSpan.FromSeconds(1))).IsOk);
        Assert.Equal(0, first.Platform.StopsLeft);
    }

    [Fact]
    public async Task Launch_ReadyAfterTheOtherEndedIt_StopsTheDriver()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        var late = await first.Platform.NextLaunchAsync(first.Deadline);
        Lapse(first, session);
        await second.Starter.TakeUpLapsedAsync(second.Deadline);
        await first.Store.EndAsync(session.Id, EndReason.ClosedByOperator, "", Caller.Gateway, first.Deadline);

        late.Succeed();

        Assert.Equal(session.Id, await first.Platform.NextStopAsync(first.Deadline));
    }

    [Fact]
    public async Task Stop_WhileADriverStartsThatLivesOn_LeavesTheStartToTheNext()
    {
        var (first, second, session) = await ClaimedAsync(Outliving);
        await using var _ = first;
        await using var __ = second;
        first.Starter.Begin(session);
        var own = first.Starter.WaitReadyAsync(session, first.Deadline);
        await first.Platform.NextLaunchAsync(first.Deadline);

        await first.Get<TrackedTasks>().StopAsync();

        Assert.Equal(ErrorCode.Unavailable, (await own).Error!.Code);
        Assert.Equal((SessionState.Starting, 0), (first.SessionOf(Key).State, first.Platform.StopsLeft));
        Lapse(first, session);
        var wait = second.Starter.WaitReadyAsync(session, second.Deadline);
        (await second.Platform.NextLaunchAsync(second.Deadline)).Succeed();
        Assert.True((await wait).IsOk);
    }

    [Fact]
    public async Task TakeUpLapsed_LocalDriverOfAnother_IsLeftToTheHeartbeat()
    {
        var (first, second, session) = await ClaimedAsync(Session.LocalPlatform);
        await using var _ = first;
        await using var __ = second;
        Lapse(first, session);
        var wait = second.Starter.WaitReadyAsync(session, second.Deadline);

        Assert.Equal(0, (await second.Starter.TakeUpLapsedAsync(second.Deadline)).Value);
        Assert.Equal(SessionState.Starting, first.SessionOf(Key).State);

        second.Store.LostAtNextHeartbeat.Add(session.Id);
        await second.Get<ReplicaHeartbeat>().BeatAsync(second.Deadline);
        var told = await second.PollUntilAsync(wait, TimeSpan.FromSeconds(1));
        Assert.Contains("the gateway process that ran its driver is gone", told.Error!.Text, StringComparison.Ordinal);
        Assert.Empty(second.Platform.Launched);
    }

    [Fact]
    public async Task TakeUpLapsed_OwnWithoutALaunch_EndsAsStartFailed()
    {
        var (first, second, session) = await ClaimedAsync(Session.LocalPlatform);
        await using var _ = first;
        await using var __ = second;
        Assert.Equal(0, (await first.Starter.TakeUpLapsedAsync(first.Deadline)).Value);
        Lapse(first, session);

        Assert.Equal(1, (await first.Starter.TakeUpLapsedAsync(first.Deadline)).Value);

        Assert.Equal((SessionState.Ended, EndReason.StartFailed), (first.SessionOf(Key).State, first.SessionOf(Key).EndReason));
    }

    private static void Lapse(World world, Session session) => world.Store.Lapse(session.Id);
}
