using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;
using End = SparkGateway.Features.EndSession.EndSession;
using Release = SparkGateway.Features.ReleaseSession.ReleaseSession;

namespace SparkGateway.Features.Tests.RelayStream;

public sealed class BoundCallTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Admit_ContradictingHeader_IsRefusedAndNothingMoves(bool isLiveHere)
    {
        await using var world = new World();
        await using var other = new World(replica: world);
        var key = World.NewKey();
        var bound = await world.ForwardAsync(key);
        var asked = isLiveHere ? world : other;

        var error = await asked.RefusedAsync(key, headers: new("elsewhere", "ns", null, null));

        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Contains(bound.Route.Session.Name.ToString(), error.Text, StringComparison.Ordinal);
        Assert.Equal(bound.Route.Session.Id, (await asked.ForwardAsync(key, headers: new("new", null, null, null))).Route.Session.Id);
    }

    [Fact]
    public async Task Admit_EndedSession_SaysWhoEndedItAndWhy()
    {
        await using var world = new World();
        var key = World.NewKey();
        var session = (await world.ForwardAsync(key)).Route.Session;
        await world.SendAsync(new End.Request(session.Id, EndReason.ClosedByOperator, "by ops: upgrade", Caller.Gateway));

        foreach (var rpc in new[] { SparkRpc.ExecutePlan, SparkRpc.Config, SparkRpc.ReattachExecute, SparkRpc.Interrupt })
        {
            var error = await world.RefusedAsync(key, rpc);
            Assert.Equal(ErrorCode.SessionChanged, error.Code);
            Assert.Contains("an operator closed it (by ops: upgrade)", error.Text, StringComparison.Ordinal);
        }

        Assert.IsType<Admission.AnswerOk>((await world.AdmitAsync(key, rpc: SparkRpc.ReleaseExecute)).Value);
        Assert.IsType<Admission.AnswerOk>((await world.AdmitAsync(key, rpc: SparkRpc.ReleaseSession)).Value);
        Assert.Single(world.Platform.Launched);
        Assert.DoesNotContain(world.Store.Audit, entry => entry.StartsWith("deny", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Admit_ReleasedBindingOfALiveSession_IsForwarded()
    {
        await using var world = new World();
        var key = World.NewKey();
        await world.SendAsync(new Release.Request(await world.ForwardAsync(key), Caller.Gateway));

        Assert.True((await world.ForwardAsync(key)).IsReleased);
        await using var restarted = new World(replica: world);
        Assert.True((await restarted.ForwardAsync(key)).IsReleased);
    }

    [Fact]
    public async Task Admit_ReleasedBindingOfAnEndedSession_IsClosed()
    {
        await using var world = new World();
        var key = World.NewKey();
        var binding = await world.ForwardAsync(key);
        await world.SendAsync(new Release.Request(binding, Caller.Gateway));
        await world.SendAsync(new End.Request(binding.Route.Session.Id, EndReason.Idle, "", Caller.Gateway));

        Assert.Equal(ErrorCode.SessionClosed, (await world.RefusedAsync(key)).Code);
        Assert.IsType<Admission.AnswerOk>((await world.AdmitAsync(key, rpc: SparkRpc.ReleaseExecute)).Value);
    }

    [Fact]
    public async Task Admit_SessionEndsWhileTheCallWaits_SaysSo()
    {
        await using var world = new World();
        world.Platform.IsInstant = false;
        var key = World.NewKey();
        var call = world.AdmitAsync(key);
        var launch = await world.Platform.NextLaunchAsync(world.Deadline);
        await world.SendAsync(new End.Request(launch.Spec.SessionId, EndReason.ClosedByOperator, "", Caller.Gateway));
        launch.Succeed();

        var error = (await call).Error!;
        Assert.Equal(ErrorCode.SessionChanged, error.Code);
        Assert.Contains("an operator closed it", error.Text, StringComparison.Ordinal);
        Assert.Null(world.Table.FindRoute(launch.Spec.SessionId));
    }

    [Fact]
    public async Task Admit_Denials_AreAuditedOnceAMinuteAPeer()
    {
        await using var world = new World();
        var bad = new RouteHints(null, "ns", null, null);
        int Denials() => world.Store.Audit.Count(entry => entry.StartsWith("deny", StringComparison.Ordinal));

        for (var port = 1; port <= 5; port++) await world.AdmitAsync(World.NewKey(), headers: bad, address: $"10.0.0.1:{port}");
        Assert.Equal(1, Denials());
        await world.AdmitAsync(World.NewKey(), headers: bad, address: "[2001:db8::1]:7");
        await world.AdmitAsync(World.NewKey(), headers: new("nobody", "ns", null, null), address: "10.0.0.1:6");
        Assert.Equal(3, Denials());

        await world.Time.TimerAsync(TimeSpan.FromMinutes(1), world.Deadline);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        await world.UntilAsync(() => Denials() == 4);
        Assert.EndsWith("(4 calls)", world.Store.Audit[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admit_DenialsOfEndlessPeers_KeepABoundedTable()
    {
        await using var world = new World();
        for (var peer = 0; peer < 1_100; peer++)
            await world.AdmitAsync(World.NewKey(), headers: new(null, "ns", null, null), address: $"10.0.{peer / 256}.{peer % 256}:1");

        Assert.Equal(1_024, world.Store.Audit.Count);
    }
}
