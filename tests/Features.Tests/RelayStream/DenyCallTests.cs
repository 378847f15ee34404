using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;

namespace SparkGateway.Features.Tests.RelayStream;

public sealed class DenyCallTests
{
    private static readonly GatewayError NoToken = new(ErrorCode.Unauthenticated, Blame.Client, "no token");

    [Fact]
    public async Task Refusals_OfOnePeer_AreWrittenOnceAMinuteAndNoneIsLost()
    {
        await using var world = new World();

        foreach (var (count, port) in new[] { (3, 1), (20, 2), (1, 3) }) await DenyAsync(world, count, port);
        Assert.EndsWith("no token (3 calls)", Assert.Single(world.Store.Audit), StringComparison.Ordinal);

        await MinuteAsync(world);
        await world.UntilAsync(() => world.Store.Audit.Count == 2);
        Assert.EndsWith("no token (21 calls)", world.Store.Audit[^1], StringComparison.Ordinal);

        await DenyAsync(world, 5, 4);
        await MinuteAsync(world);
        await world.UntilAsync(() => world.Store.Audit.Count == 3);
        Assert.EndsWith("no token (5 calls)", world.Store.Audit[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_NoneFollowed_TheNextMinuteBeginsAnew()
    {
        await using var world = new World();
        await DenyAsync(world, 1, 1);
        world.Time.Advance(TimeSpan.FromMinutes(1));
        await DenyAsync(world, 1, 2);

        Assert.Equal(2, world.Store.Audit.Count);
        Assert.Equal(0, world.Get<TrackedTasks>().Count);
    }

    [Fact]
    public async Task Counts_AtTheStop_AreWritten()
    {
        await using var world = new World();
        await DenyAsync(world, 1, 1);
        await DenyAsync(world, 7, 2);

        await world.Get<TrackedTasks>().StopAsync();

        Assert.EndsWith("no token (7 calls)", world.Store.Audit[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task RefusalsOfTheAdminApi_AreCountedForEachOperator()
    {
        await using var world = new World();
        var ended = new GatewayError(ErrorCode.SessionChanged, Blame.Client, "has ended");

        foreach (var name in new[] { "ops", "ops", "night" })
            await world.SendAsync(new DenyCall.Request(ended, 1, new Caller(name, "127.0.0.1:1", "curl"), "POST /api/v1/sessions/a/b/extend"));
        await world.SendAsync(new DenyCall.Request(ended, 1, new Caller("ann", "10.0.0.1:1", "grpc-python")));

        Assert.Equal(2, world.Store.Audit.Count);
        Assert.All(world.Store.Audit, entry => Assert.EndsWith("has ended (1 calls)", entry, StringComparison.Ordinal));
    }

    private static Task<Result<bool>> DenyAsync(World world, int count, int port) =>
        world.SendAsync(new DenyCall.Request(NoToken, count, new Caller("", $"10.0.0.1:{port}", "grpc-python")));

    private static async Task MinuteAsync(World world)
    {
        await world.Time.TimerAsync(TimeSpan.FromMinutes(1), world.Deadline);
        world.Time.Advance(TimeSpan.FromMinutes(1));
    }
}
