using System.Diagnostics.Metrics;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using Reconcile = SparkGateway.Features.ReconcileDrivers.ReconcileDrivers;

namespace SparkGateway.Features.Tests.ReconcileDrivers;

public sealed class ReconcileDriversTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(SessionState.Starting)]
    [InlineData(SessionState.Ready)]
    [InlineData(SessionState.Ending)]
    public async Task Driver_WithALiveSession_Stays(SessionState state)
    {
        await using var world = new World();
        world.Inventory.Add(Session(world, state).Id);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace));
    }

    [Fact]
    public async Task Driver_WhoseSessionHasEnded_IsRemovedAfterTheGrace()
    {
        await using var world = new World();
        world.Instance.Age = TimeSpan.Zero;
        var orphan = world.Inventory.Add(Session(world, SessionState.Ended).Id);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace - Moment));
        world.Time.Advance(Moment);

        Assert.Equal(new Reconcile.Outcome(1, 0, 0), await RunAsync(world));
        Assert.Equal([orphan], world.Inventory.Removed);
    }

    [Fact]
    public async Task Driver_WhoseSessionsRowIsDeletedByNow_IsRemovedIfTheAuditHasItsEnd()
    {
        await using var world = new World();
        world.Instance.Age = TimeSpan.Zero;
        var over = world.Inventory.Add(Guid.NewGuid());
        var strange = world.Inventory.Add(Guid.NewGuid());
        world.History.Ended.Add(over.SessionId);

        Assert.Equal(new Reconcile.Outcome(1, 0, 1), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Equal([over], world.Inventory.Removed);
        Assert.Equal([strange], world.Inventory.Known);
    }

    /// <summary>A store restored from a backup has a past too, and may not know the one driver that was made since.</summary>
    [Fact]
    public async Task Driver_OfNoKnownSession_AloneIsOnlyReportedHoweverLongTheStoresPast()
    {
        await using var world = new World();
        for (var i = 0; i < 10; i++) Session(world, SessionState.Ended);
        world.Inventory.Add(Guid.NewGuid());

        Assert.Equal(new Reconcile.Outcome(0, 0, 1), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Empty(world.Inventory.Removed);
    }

    [Fact]
    public async Task Drivers_ThatAreOnlyReported_AreLoggedOnceAndCountedWhileTheyAreThere()
    {
        var counts = new List<int>();
        using var meter = new MeterListener();
        meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "spark_connect_drivers_unknown") listener.EnableMeasurementEvents(instrument);
        };
        meter.SetMeasurementEventCallback<int>((_, count, _, _) => counts.Add(count));
        meter.Start();
        await using var world = new World();
        world.Inventory.Add(Guid.NewGuid());
        world.Inventory.Add(Guid.NewGuid());

        await TwiceAsync(world, world.Options.OrphanGrace);
        await RunAsync(world);
        world.Inventory.Known.RemoveAt(0);
        await RunAsync(world);

        Assert.Equal([0, 2, 2, 1], counts);
        Assert.Equal(2, world.Logs.Warnings.Count(text => text.Contains("its store does not know it", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Driver_OfNoKnownSession_IsRemovedByAnOldStoreThatKnowsMostOthers()
    {
        await using var world = new World();
        var strange = world.Inventory.Add(Guid.NewGuid());
        world.Inventory.Add(Session(world, SessionState.Ready).Id);

        Assert.Equal(new Reconcile.Outcome(1, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Equal([strange], world.Inventory.Removed);
    }

    [Fact]
    public async Task Drivers_OfNoKnownSessions_AreOnlyReportedByAYoungStore()
    {
        await using var world = new World();
        world.Instance.Age = TimeSpan.FromMinutes(59);
        world.Inventory.Add(Guid.NewGuid());
        world.Inventory.Add(Session(world, SessionState.Ready).Id);

        Assert.Equal(new Reconcile.Outcome(0, 0, 1), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Empty(world.Inventory.Removed);
    }

    [Fact]
    public async Task Drivers_OfNoKnownSessions_AreOnlyReportedWhenTheyAreMostOfThem()
    {
        await using var world = new World();
        world.Inventory.Add(Guid.NewGuid());
        world.Inventory.Add(Guid.NewGuid());
        world.Inventory.Add(Session(world, SessionState.Ready).Id);

        Assert.Equal(new Reconcile.Outcome(0, 0, 2), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Empty(world.Inventory.Removed);
    }

    [Fact]
    public async Task Session_WithoutADriver_EndsAsLostAfterTheGrace()
    {
        await using var world = new World();
        var session = Session(world, SessionState.Ready);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace - Moment));
        world.Time.Advance(Moment);

        Assert.Equal(new Reconcile.Outcome(0, 1, 0), await RunAsync(world));
        Assert.Equal((SessionState.Ended, EndReason.Lost), State(world, session));
    }

    [Fact]
    public async Task Session_WhoseDriverHasEnded_EndsAsLostAfterTheGrace()
    {
        await using var world = new World();
        var session = Session(world, SessionState.Ready);
        world.Inventory.Add(session.Id, isRunning: false);

        Assert.Equal(new Reconcile.Outcome(0, 1, 0), await TwiceAsync(world, world.Options.OrphanGrace));
        Assert.Equal((SessionState.Ended, EndReason.Lost), State(world, session));
    }

    [Fact]
    public async Task Session_WhoseDriverIsBackInTime_GetsTheWholeGraceAgain()
    {
        await using var world = new World();
        var session = Session(world, SessionState.Ready);
        await TwiceAsync(world, world.Options.OrphanGrace - Moment);
        var entry = world.Inventory.Add(session.Id);
        await RunAsync(world);
        world.Inventory.Known.Remove(entry);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace - Moment));
    }

    [Fact]
    public async Task Session_WhoseDriverThePlatformItselfKnows_Lives()
    {
        await using var world = new World();
        var session = Session(world, SessionState.Ready);
        world.Inventory.Unseen.Add(session.Id);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.OrphanGrace));
    }

    [Fact]
    public async Task Session_ThatStillStarts_HasTheStartLimitToo()
    {
        await using var world = new World();
        var session = Session(world, SessionState.Starting);

        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, world.Options.StartLimit));
        world.Time.Advance(world.Options.OrphanGrace);

        Assert.Equal(new Reconcile.Outcome(0, 1, 0), await RunAsync(world));
        Assert.Equal((SessionState.Ended, EndReason.Lost), State(world, session));
    }

    [Fact]
    public async Task UnsyncedInventoryOrUnsteadyStore_ChangesNothing()
    {
        await using var world = new World();
        world.Inventory.Add(Session(world, SessionState.Ended).Id);
        world.Store.SteadyFor = world.Options.ExpiryHold - Moment;
        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await TwiceAsync(world, 2 * world.Options.OrphanGrace));
        world.Store.SteadyFor = world.Options.ExpiryHold;
        world.Inventory.NotSynced = GatewayError.Unavailable(Blame.Cluster, "not synced");

        Assert.Equal(world.Inventory.NotSynced, (await world.SendAsync(new Reconcile.Request())).Error);
        Assert.Empty(world.Inventory.Removed);
    }

    private static Session Session(World world, SessionState state)
    {
        var id = Guid.NewGuid();
        return world.Store.Add(new Session
        {
            Id = id,
            Name = new SessionName("ns", $"spark-connect-data-{id:N}"),
            Incarnation = 1,
            Kind = SessionKind.OnDemand,
            Platform = "kubernetes",
            State = state,
            Address = "10.1.0.4:15002",
            EndedAt = state == SessionState.Ended ? world.Time.GetUtcNow() : null,
            OpenedAt = world.Time.GetUtcNow(),
        });
    }

    private static (SessionState State, EndReason? Reason) State(World world, Session session)
    {
        var now = world.Store.Sessions.Single(one => one.Id == session.Id);
        return (now.State, now.EndReason);
    }

    private static async Task<Reconcile.Outcome> RunAsync(World world) => (await world.SendAsync(new Reconcile.Request())).Value;

    /// <summary>The first run sees, the second one acts on what is still so.</summary>
    private static async Task<Reconcile.Outcome> TwiceAsync(World world, TimeSpan apart)
    {
        Assert.Equal(new Reconcile.Outcome(0, 0, 0), await RunAsync(world));
        world.Time.Advance(apart);
        return await RunAsync(world);
    }
}
