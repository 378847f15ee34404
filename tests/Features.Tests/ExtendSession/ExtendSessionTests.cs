using SparkGateway.Domain.Sessions;
using Extend = SparkGateway.Features.ExtendSession.ExtendSession;

namespace SparkGateway.Features.Tests.ExtendSession;

public sealed class ExtendSessionTests
{
    private static readonly Caller Operator = new("ops", "10.0.0.1:1", "test");

    [Fact]
    public async Task Extend_ReadySession_MovesItsMaxTtl()
    {
        await using var world = new World();
        var session = (await world.ForwardAsync(World.NewKey())).Route.Session;

        var extended = await world.SendAsync(new Extend.Request(SessionRef.To(session.Id), 90, Operator));

        Assert.Equal(session.MaxTtlAt + TimeSpan.FromMinutes(90), extended.Value.MaxTtlAt);
        Assert.Contains($"extend {session.Name} 90", world.Store.Audit);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(121)]
    public async Task Extend_MinutesOutOfBounds_AreRefusedWithTheKey(int minutes)
    {
        await using var world = new World(options => options with { MaxExtensionHours = 2 });

        var refused = await world.SendAsync(new Extend.Request(SessionRef.To(Guid.NewGuid()), minutes, Operator));

        Assert.Equal("minutes must be 1 to 120 (admin.max_extension_hours).", Assert.Single(refused.Error!.Faults).Text);
    }
}
