using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using Close = SparkGateway.Features.CloseSession.CloseSession;

namespace SparkGateway.Features.Tests.CloseSession;

public sealed class CloseSessionTests
{
    private static readonly Caller Operator = new("ops as jane (unverified)", "10.0.0.1:1", "test");

    [Fact]
    public async Task Close_ReadySession_TellsItsCallsWhoAndWhyBeforeTheDriverGoes()
    {
        await using var world = new World();
        var live = await world.ForwardAsync(World.NewKey());
        var session = live.Route.Session;

        var closed = await world.SendAsync(new Close.Request(SessionRef.Parse($"{session.Name}").Value, " maintenance ", Operator));

        Assert.Equal((SessionState.Ending, false), (closed.Value.Session.State, closed.Value.WasOver));
        Assert.Contains("an operator closed it (ops as jane (unverified): maintenance)", live.Route.ClosedBy!.Text, StringComparison.Ordinal);
        Assert.Equal(0, world.Platform.StopsLeft);
        await world.Time.TimerAsync(world.Options.EndingGrace, world.Deadline);
        world.Time.Advance(world.Options.EndingGrace);
        Assert.Equal(session.Id, await world.Platform.NextStopAsync(world.Deadline));
    }

    [Fact]
    public async Task Close_StartingSession_CutsTheStartOff()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var key = World.NewKey();
        var waiting = world.AdmitAsync(key);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);

        var closed = await world.SendAsync(new Close.Request(SessionRef.To(launch.Spec.SessionId), "", Operator));
        launch.Succeed();

        Assert.Equal(SessionState.Ended, closed.Value.Session.State);
        Assert.Contains("an operator closed it", (await waiting).Error!.Text, StringComparison.Ordinal);
        Assert.Equal(launch.Spec.SessionId, await world.Platform.NextStopAsync(world.Deadline));
    }

    [Fact]
    public async Task Close_AttachedSession_LeavesItsDriverAlone()
    {
        await using var world = new World();
        var session = await world.AttachAsync();

        var closed = await world.SendAsync(new Close.Request(SessionRef.To(session.Id), "", Operator));

        Assert.Equal(SessionState.Ended, closed.Value.Session.State);
        Assert.Equal(0, world.Platform.StopsLeft);
    }

    [Fact]
    public async Task Close_Twice_SaysThatItWasOver()
    {
        await using var world = new World();
        var session = await world.AttachAsync();
        var request = new Close.Request(SessionRef.To(session.Id), "first", Operator);
        await world.SendAsync(request);

        var again = await world.SendAsync(request with { Note = "second" });

        Assert.True(again.Value.WasOver);
        Assert.Equal("ops as jane (unverified): first", again.Value.Session.EndDetail);
    }

    [Fact]
    public async Task Close_NoSuchSession_SaysWhatToLookAt()
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Close.Request(SessionRef.Parse("ns/none").Value, "", Operator));

        Assert.Equal(ErrorCode.NoSuchSession, refused.Error!.Code);
        Assert.Contains("ns/none", refused.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Close_NoteOfManyLinesAndTooLong_NamesBothFaults()
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Close.Request(SessionRef.To(Guid.NewGuid()), new string('x', 300) + "\n", Operator));

        Assert.Equal(["note", "note"], refused.Error!.Faults.Select(fault => fault.Field));
    }
}
