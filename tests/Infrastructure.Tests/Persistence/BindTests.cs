using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class BindTests
{
    private const int Racers = 20;

    [Theory, EachStore]
    public async Task Bind_LiveSession_BindsAndAudits(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var parent = await store.OpenReadyAsync();
        var key = TestStore.Key();

        foreach (var via in Enum.GetValues<BoundVia>())
        {
            var other = TestStore.Key();
            var bound = await store.Sessions.BindAsync(other, parent.Session.Id, via, TestStore.Alice, CancellationToken.None);
            Assert.Equal(new Binding(other, parent.Session.Id, BindingState.Bound, via), bound.Value.Bound.Binding);
            Assert.Equal(bound.Value.Bound, (await store.Sessions.FindBindingAsync(other, CancellationToken.None)).Value);
        }

        Assert.Null((await store.Sessions.FindBindingAsync(key, CancellationToken.None)).Value);
        Assert.Equal(Enum.GetValues<BoundVia>().Length + 1, (await store.ActionsAsync()).Count(action => action == "bind"));
    }

    [Theory, EachStore]
    public async Task Bind_BoundKey_ReturnsTheBindingThatIsThere(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var first = await store.OpenAsync();
        var other = await store.OpenReadyAsync("bob");

        var claimed = await store.Sessions.BindAsync(first.Binding.Key, other.Session.Id, BoundVia.Header, TestStore.Alice, CancellationToken.None);

        Assert.False(claimed.Value.Won);
        Assert.Equal(first, claimed.Value.Bound);
    }

    [Theory, EachStore]
    public async Task Bind_EndedOrUnknownSession_IsSessionChanged(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ended = await store.OpenAsync();
        await store.Sessions.EndAsync(ended.Session.Id, EndReason.Crashed, "exit code 1", Caller.Gateway, CancellationToken.None);

        foreach (var id in new[] { ended.Session.Id, Guid.NewGuid() })
        {
            var claimed = await store.Sessions.BindAsync(TestStore.Key(), id, BoundVia.Header, TestStore.Alice, CancellationToken.None);
            Assert.Equal(ErrorCode.SessionChanged, claimed.Error!.Code);
        }
    }

    [Theory, EachStore]
    public async Task Bind_TwentyAtOnceToTwoSessions_OneWinsAndAllGetIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        Guid[] sessions = [(await store.OpenReadyAsync("bob")).Session.Id, (await store.OpenReadyAsync("carol")).Session.Id];
        ISessionStore[] replicas = [store.Sessions, store.AddReplica()];
        var key = TestStore.Key();

        var claims = await Task.WhenAll(Enumerable.Range(0, Racers).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].BindAsync(key, sessions[number / 2 % 2], BoundVia.Header, TestStore.Alice, CancellationToken.None),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.All(claims, claim => Assert.Null(claim.Error));
        var winner = Assert.Single(claims, claim => claim.Value.Won).Value.Bound;
        Assert.All(claims, claim => Assert.Equal(winner.Binding, claim.Value.Bound.Binding));
        Assert.Equal(3, (await store.ActionsAsync()).Count(action => action == "bind"));
    }

    [Theory, EachStore]
    public async Task Bind_WhileTheLingerEndsTheSession_EitherBindsOrEnds(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var other = store.AddReplica();
        for (var round = 0; round < Racers; round++)
        {
            var session = await store.OpenReadyAsync();
            await store.Sessions.ReleaseAsync(session.Binding.Key, TestStore.Alice, CancellationToken.None);

            var binding = Task.Factory.StartNew(() => other.BindAsync(TestStore.Key(), session.Session.Id, BoundVia.Connection, TestStore.Alice, CancellationToken.None),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
            var ending = store.Sessions.MarkEndingAsync(session.Session.Id, EndReason.Released, "", new EndCondition.ReleasedFor(TimeSpan.Zero), CancellationToken.None);
            var (bound, ended) = (await binding, await ending);

            Assert.Equal(bound.IsOk, ended.Value is null);
        }
    }
}
