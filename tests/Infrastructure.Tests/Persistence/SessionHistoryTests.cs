using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class SessionHistoryTests
{
    [Theory, EachStore]
    public async Task HasEnded_RowIsDeletedByNow_IsKnownFromTheAudit(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var live = (await store.OpenReadyAsync()).Session.Id;
        var over = (await store.OpenReadyAsync()).Session.Id;
        await store.Sessions.EndAsync(over, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        await store.ExecuteAsync($"UPDATE sessions SET ended_at = {store.Ago(7_201)} WHERE state = 'ended'");

        Assert.Equal(1, (await store.Sessions.PruneAsync(TimeSpan.FromHours(2), CancellationToken.None)).Value);

        Assert.Null((await store.Sessions.FindSessionAsync(over, CancellationToken.None)).Value);
        var history = store.First.GetRequiredService<ISessionHistory>();
        Assert.True((await history.HasEndedAsync(over, CancellationToken.None)).Value);
        Assert.False((await history.HasEndedAsync(live, CancellationToken.None)).Value);
        Assert.False((await history.HasEndedAsync(Guid.NewGuid(), CancellationToken.None)).Value);
    }
}
