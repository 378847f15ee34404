using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.RelayStream;

namespace SparkGateway.Features.Tests.RelayStream;

public sealed class DenyCallTests
{
    [Fact]
    public async Task Refusals_OfTheRelay_AreAuditedOnceAMinuteAPeerWithTheirCount()
    {
        await using var world = new World();
        var error = new GatewayError(ErrorCode.Unauthenticated, Blame.Client, "no token");

        foreach (var (count, port) in new[] { (3, 1), (20, 2), (1, 3) })
            await world.SendAsync(new DenyCall.Request(error, count, new Caller("", $"10.0.0.1:{port}", "grpc-python")));
        Assert.Contains("no token (2 more like it since the last record)", Assert.Single(world.Store.Audit), StringComparison.Ordinal);

        world.Time.Advance(TimeSpan.FromMinutes(1));
        await world.SendAsync(new DenyCall.Request(error, 1, new Caller("ana", "10.0.0.1:4", "grpc-python")));
        Assert.Contains("no token (21 more like it since the last record)", world.Store.Audit[^1], StringComparison.Ordinal);
    }
}
