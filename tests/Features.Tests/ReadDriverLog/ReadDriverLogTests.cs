using SparkGateway.Domain.Sessions;
using Read = SparkGateway.Features.ReadDriverLog.ReadDriverLog;

namespace SparkGateway.Features.Tests.ReadDriverLog;

public sealed class ReadDriverLogTests
{
    [Fact]
    public async Task Read_FewerLinesThanThereAre_GivesTheLast()
    {
        await using var world = new World();
        world.DriverLogs.Lines = ["one", "two", "three"];
        var session = await world.AttachAsync();

        var log = await world.SendAsync(new Read.Request(SessionRef.To(session.Id), 2));

        Assert.Equal(["two", "three"], log.Value.Lines);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task Read_LinesOutOfBounds_AreRefused(int lines)
    {
        await using var world = new World();

        var refused = await world.SendAsync(new Read.Request(SessionRef.To(Guid.NewGuid()), lines));

        Assert.Equal("lines", Assert.Single(refused.Error!.Faults).Field);
    }
}
