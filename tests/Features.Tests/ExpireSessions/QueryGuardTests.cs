using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using Expire = SparkGateway.Features.ExpireSessions.ExpireSessions;

namespace SparkGateway.Features.Tests.ExpireSessions;

/// <summary>Idle sessions whose driver still works.</summary>
public sealed class QueryGuardTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);

    [Fact]
    public async Task Expire_DriverThatStillWorks_IsKeptUntilItRests()
    {
        await using var world = Protecting();
        await world.ForwardAsync(World.NewKey());
        world.Drivers.Answer = Result<string?>.Ok("1 jobs run");
        world.Time.Advance(Idle);

        Assert.Equal(0, await RunAsync(world));
        Assert.Equal(0, await RunAsync(world));

        world.Drivers.Answer = Result<string?>.Ok(null);
        Assert.Equal(1, await RunAsync(world));
        Assert.Equal(3, world.Drivers.Asked);
    }

    [Fact]
    public async Task Expire_DriverThatDoesNotSay_EndsWithAWarning()
    {
        await using var world = Protecting();
        await world.ForwardAsync(World.NewKey());
        world.Drivers.Answer = GatewayError.Unavailable(Blame.Driver, "It could not be asked.");
        world.Time.Advance(Idle);

        Assert.Equal(1, await RunAsync(world));

        Assert.Contains("It could not be asked.", Assert.Single(world.Logs.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expire_MaxTtl_ComesWhateverRuns()
    {
        await using var world = Protecting();
        await world.ForwardAsync(World.NewKey());
        world.Drivers.Answer = Result<string?>.Ok("1 jobs run");
        world.Time.Advance(TimeSpan.FromHours(5));

        Assert.Equal(1, await RunAsync(world));

        Assert.Equal(0, world.Drivers.Asked);
    }

    [Fact]
    public async Task Expire_LocalDriverOfAnotherReplica_IsLeftToThatOne()
    {
        await using var world = Protecting();
        await using var other = Protecting(world);
        await world.ForwardAsync(World.NewKey());
        world.Time.Advance(Idle);

        Assert.Equal(0, await RunAsync(other));
        Assert.Equal(0, other.Drivers.Asked);
        Assert.Equal(1, await RunAsync(world));
    }

    [Fact]
    public async Task Expire_NotWanted_AsksNoDriver()
    {
        await using var world = new World();
        await world.ForwardAsync(World.NewKey());
        world.Drivers.Answer = Result<string?>.Ok("1 jobs run");
        world.Time.Advance(Idle);

        Assert.Equal(1, await RunAsync(world));

        Assert.Equal(0, world.Drivers.Asked);
    }

    private static World Protecting(World? replica = null) => new(options => options with { ProtectRunningQueries = true }, replica);

    private static async Task<int> RunAsync(World world) => (await world.SendAsync(new Expire.Request())).Value.Retired;
}
