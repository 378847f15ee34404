using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Routing;

namespace SparkGateway.Infrastructure.Tests.Routing;

public sealed class RouteTableTests
{
    private static readonly GatewayError Reason = new(ErrorCode.SessionChanged, Blame.Gateway, "It ended.");
    private readonly RouteTable table = new();

    [Theory]
    [InlineData("ann", "0b8f5a6e-3f1c-4f1e-9a53-0d3a1f9b7c11")]
    [InlineData("", "0b8f5a6e-3f1c-4f1e-9a53-0d3a1f9b7c11")]
    [InlineData("Ünïcödé 名前 🚀", "0b8f5a6e-3f1c-4f1e-9a53-0d3a1f9b7c11")]
    [InlineData("ann", "")]
    public void Find_ByBytesAndByStrings_IsTheSameBinding(string user, string session)
    {
        var key = new ClientSessionKey(user, session);
        var binding = table.Bind(key, NewRoute(), BoundVia.OnDemand);

        Assert.Same(binding, Find(user, session));
        Assert.Same(binding, table.Find(key));
        Assert.Null(Find(user + "x", session));
        Assert.Null(Find(user, session + "x"));
        Assert.Null(Find(session, user));
    }

    [Fact]
    public void Find_LongNames_NeedTheRentedBuffer()
    {
        var key = new ClientSessionKey(new string('é', 600), new string('s', 300));
        var binding = table.Bind(key, NewRoute(), BoundVia.OnDemand);

        Assert.Same(binding, Find(key.UserId, key.ClientSessionId));
        Assert.Same(binding, table.Find(key));
        Assert.Null(Find(key.UserId[..^1] + "è", key.ClientSessionId));
    }

    [Fact]
    public void Find_PartsSplitElsewhere_AreAnotherKey()
    {
        table.Bind(new ClientSessionKey("ab", "c"), NewRoute(), BoundVia.OnDemand);

        Assert.Null(Find("a", "bc"));
        Assert.NotEqual(Hash("ab", "c"), Hash("a", "bc"));
    }

    [Fact]
    public void Find_BytesThatAreNoUtf8_FindNothing()
    {
        table.Bind(new ClientSessionKey("\uFFFD", "s"), NewRoute(), BoundVia.OnDemand);

        Assert.Null(table.Find([0xFF], "s"u8));
    }

    [Fact]
    public void Find_HitOrMiss_AllocatesNothing()
    {
        for (var n = 0; n < 1_000; n++) table.Bind(new ClientSessionKey($"user-{n}-é", Guid.NewGuid().ToString()), NewRoute(), BoundVia.OnDemand);
        var key = new ClientSessionKey("user-x-é", Guid.NewGuid().ToString());
        table.Bind(key, NewRoute(), BoundVia.OnDemand);
        byte[] user = Encoding.UTF8.GetBytes(key.UserId), session = Encoding.UTF8.GetBytes(key.ClientSessionId), other = "nobody"u8.ToArray();
        Lookups(100);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var found = Lookups(10_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(20_000, found);
        Assert.Equal(0, allocated);

        int Lookups(int times)
        {
            var hits = 0;
            for (var n = 0; n < times; n++)
            {
                if (table.Find(user, session) is not null) hits++;
                if (table.Find(other, session) is null) hits++;
            }

            return hits;
        }
    }

    [Fact]
    public void PublishAndBind_Twice_KeepTheFirst()
    {
        var route = NewRoute();
        var key = new ClientSessionKey("ann", "s");

        Assert.Same(route, table.Publish(route));
        Assert.Same(route, table.Publish(new Route(route.Session, null)));
        Assert.Same(table.Bind(key, route, BoundVia.Header), table.Bind(key, NewRoute(), BoundVia.Clone));
        Assert.Same(route, Assert.Single(table.Routes));
    }

    [Fact]
    public void Close_Route_ForgetsItAndItsBindingsOnly()
    {
        Route route = table.Publish(NewRoute()), other = table.Publish(NewRoute());
        table.Bind(new ClientSessionKey("ann", "1"), route, BoundVia.OnDemand);
        table.Bind(new ClientSessionKey("ann", "2"), route, BoundVia.Clone);
        table.Bind(new ClientSessionKey("bob", "1"), other, BoundVia.OnDemand);
        var told = 0;
        using var watch = route.OnClosed(_ => told++);

        table.Close(route.Session.Id, Reason);
        table.Close(route.Session.Id, Reason);

        Assert.Equal(1, told);
        Assert.Same(Reason, route.ClosedBy);
        Assert.Null(Find("ann", "1"));
        Assert.Null(Find("ann", "2"));
        Assert.Null(table.FindRoute(route.Session.Id));
        Assert.NotNull(Find("bob", "1"));
    }

    [Fact]
    public void Bind_ToAClosedRoute_LeavesNothingBehind()
    {
        var closed = table.Publish(NewRoute());
        table.Close(closed.Session.Id, Reason);
        var key = new ClientSessionKey("ann", "1");

        Assert.NotNull(table.Bind(key, closed, BoundVia.OnDemand).Route.ClosedBy);
        Assert.Null(table.Find(key));
        var live = NewRoute();
        Assert.Same(live, table.Bind(key, live, BoundVia.OnDemand).Route);
    }

    [Fact]
    public async Task BindAndClose_AtTheSameTime_NeverLeaveABindingToAClosedRoute()
    {
        for (var round = 0; round < 500; round++)
        {
            var route = table.Publish(NewRoute());
            using var start = new Barrier(2);
            var binds = Task.Factory.StartNew(() =>
            {
                start.SignalAndWait();
                for (var n = 0; n < 20; n++) table.Bind(new ClientSessionKey("ann", $"{round}-{n}"), route, BoundVia.Clone);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            start.SignalAndWait();
            table.Close(route.Session.Id, Reason);
            await binds;

            for (var n = 0; n < 20; n++) Assert.Null(table.Find(new ClientSessionKey("ann", $"{round}-{n}")));
        }
    }

    private LiveBinding? Find(string user, string session) => table.Find(Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(session));

    private static int Hash(string user, string session) => KeyComparer.Instance.GetHashCode(new ClientSessionKey(user, session));

    private static Route NewRoute() => new(new Session
    {
        Id = Guid.NewGuid(),
        Name = new SessionName("ns", "app"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = "local",
        State = SessionState.Ready,
        Address = "127.0.0.1:20000",
    }, null);
}
