using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>
/// The month that docs/audit.md asks about: two replicas, four users, two teams. Each event is written by the stores themselves,
/// so the rows are as `serve` makes them; then its time is set back to where the story has it.
/// </summary>
internal sealed class AuditScene
{
    private static readonly Caller Jane = new("ops as jane (unverified)", "10.9.0.5:40112", "spark-gateway/1.0");

    private readonly TestStore store;
    private readonly IServiceProvider[] replicas;
    private string lastId = "0";

    private AuditScene(TestStore store)
    {
        this.store = store;
        replicas = [.. new[] { 'a', 'b' }.Select(name => store.AddProcess(new Replica(Guid.Parse($"{new string(name, 8)}-0000-4000-8000-000000000001"), $"gateway-{name}", IsOnly: false)))];
    }

    public static async Task PlayAsync(TestStore store)
    {
        var scene = new AuditScene(store);
        await scene.AttachAsync();
        await scene.FirstWeekAsync();
        await scene.SecondWeekAsync();
        await scene.RefusalsAsync();
        await scene.FebruaryAsync();
    }

    private async Task AttachAsync()
    {
        AttachedDriver[] drivers = [new(new SessionName("byod", "nightly-features"), "10.3.0.8:15002", null), new(new SessionName("byod", "sandbox"), "10.3.0.9:15002", null)];
        await AtAsync("01-02T00:00:00", 0, one => one.SyncAttachedAsync(drivers, CancellationToken.None));
    }

    private async Task FirstWeekAsync()
    {
        var (ana, ben) = (Of("ana", "10.1.0.11:50010", 1), Of("ben", "10.1.0.12:50020", 2));
        var shared = await OpenAsync("01-07T08:00:00", "01-07T08:00:20", 0, "ml", "1a2b", ana, 1);
        await AtAsync("01-07T09:00:00", 1, one => one.BindAsync(ben.Key, shared, BoundVia.Header, ben.Caller, CancellationToken.None));
        await AtAsync("01-07T10:00:00", 1, one => one.ReleaseAsync(ben.Key, ben.Caller, CancellationToken.None));
        await AtAsync("01-07T11:30:00", 0, one => one.ReleaseAsync(ana.Key, ana.Caller, CancellationToken.None));
        await EndAsync("01-07T11:31:00", "01-07T11:31:05", 0, shared, EndReason.Released, "");

        var longest = await OpenAsync("01-08T07:00:00", "01-08T07:00:30", 1, "ml", "3c4d", Of("ana", "10.1.0.11:50311", 3), 2);
        await AtAsync("01-08T10:30:00", 0, _ => Operators(0).ExtendAsync(longest, 60, 24, Jane, CancellationToken.None));
        await EndAsync("01-08T12:00:30", "01-08T12:00:35", 1, longest, EndReason.MaxTtl, "it was ready since 2030-01-08 07:00:30 UTC");

        var crashed = await OpenAsync("01-09T13:00:00", "01-09T13:00:15", 1, "risk", "5e6f", Of("cho", "10.2.0.31:41000", 4), 3);
        await AtAsync("01-09T14:30:00", 1, one => one.EndAsync(crashed, EndReason.Crashed, "exit code 137", Caller.Gateway, CancellationToken.None));
    }

    private async Task SecondWeekAsync()
    {
        var idle = await OpenAsync("01-10T09:00:00", "01-10T09:00:10", 0, "risk", "7a8b", Of("dan", "10.2.0.32:42000", 5), 4);
        await EndAsync("01-10T09:45:00", "01-10T09:45:05", 0, idle, EndReason.Idle, "30 minutes, last used at 2030-01-10 09:15:00 UTC");

        var unused = new UnclaimedSession(RowId(5), new SessionName("sjns-ml-dev", "spark-connect-ml-9c0d"), "local", "ml", "dev", Replica(0), ClientId(6));
        await AtAsync("01-10T10:00:00", 0, _ => Operators(0).OpenUnclaimedAsync(unused, TestStore.NoLimits, Jane, CancellationToken.None));
        await ReadyAsync("01-10T10:00:20", 0, unused.Id);
        await EndAsync("01-10T10:30:20", "01-10T10:30:25", 0, unused.Id, EndReason.Idle, "30 minutes, last used at 2030-01-10 10:00:20 UTC");

        var closed = await OpenAsync("01-14T08:00:00", "01-14T08:00:10", 1, "risk", "b1c2", Of("dan", "192.168.7.4:51000", 7), 6);
        await AtAsync("01-14T08:50:00", 1, one => one.MarkEndingAsync(closed, EndReason.ClosedByOperator, "ops as jane (unverified): node maintenance", new EndCondition.Told(Jane), CancellationToken.None));
        await AtAsync("01-14T08:50:05", 1, one => one.EndAsync(closed, EndReason.ClosedByOperator, "", Caller.Gateway, CancellationToken.None));

        var cho = Of("cho", "10.2.0.31:41700", 8);
        var failed = await StartAsync("01-15T09:00:00", 0, "risk", "d3e4", cho, 7);
        await AtAsync("01-15T09:05:00", 0, one => one.EndAsync(failed, EndReason.StartFailed, "the driver ended with exit code 1", Caller.Gateway, CancellationToken.None));

        var ana = Of("ana", "10.1.0.11:50900", 9);
        var attached = (await Sessions(1).FindLiveSessionAsync(new SessionName("byod", "nightly-features"), CancellationToken.None)).Value!.Id;
        await AtAsync("01-15T12:00:00", 1, one => one.BindAsync(ana.Key, attached, BoundVia.Header, ana.Caller, CancellationToken.None));
        await AtAsync("01-15T12:40:00", 1, one => one.ReleaseAsync(ana.Key, ana.Caller, CancellationToken.None));
    }

    private async Task RefusalsAsync()
    {
        var cho = Of("cho", "10.2.0.31:41800", 10);
        var denied = new Denial(cho.Key, ErrorCode.PermissionDenied, "team ml may not use environment prod", 1, cho.Caller);
        await AtAsync("01-16T10:00:00", 0, one => one.RecordDenialAsync(denied, CancellationToken.None));
        await AtAsync("01-16T10:01:00", 0, one => one.RecordDenialAsync(denied with { Calls = 6 }, CancellationToken.None));
        var stranger = new Caller("", "203.0.113.9:33000", "grpc-go/1.70.0");
        await AtAsync("01-17T02:00:00", 1, one => one.RecordDenialAsync(
            new Denial(new ClientSessionKey("", ""), ErrorCode.Unauthenticated, "This gateway demands a bearer token", 40, stranger), CancellationToken.None));
        await AtAsync("01-17T02:10:00", 1, one => one.RecordDenialAsync(
            new Denial(null, ErrorCode.Unauthenticated, "This needs an operator's token", 3, stranger with { UserAgent = "curl/8.5.0" }, "GET /api/v1/sessions"), CancellationToken.None));
        await AtAsync("01-18T16:00:00", 0, one => one.RecordDenialAsync(
            new Denial(null, ErrorCode.SessionChanged, "Session sjns-risk-dev/spark-connect-risk-b1c2 has ended or is ending", 1, Jane, "POST /api/v1/sessions/sjns-risk-dev/spark-connect-risk-b1c2/extend"), CancellationToken.None));
    }

    private async Task FebruaryAsync()
    {
        var later = await OpenAsync("02-03T08:00:00", "02-03T08:00:20", 0, "ml", "f5a6", Of("ana", "10.1.0.11:50999", 11), 8);
        await EndAsync("02-03T09:00:00", "02-03T09:00:05", 0, later, EndReason.Idle, "30 minutes, last used at 2030-02-03 08:30:00 UTC");
    }

    private static (ClientSessionKey Key, Caller Caller) Of(string user, string address, int number) =>
        (new ClientSessionKey(user, ClientId(number)), new Caller(user, address, user == "ben" ? "spark-connect-jvm/4.2" : "grpc-python/1.76.0"));

    private static string ClientId(int number) => $"c{number:d7}-0000-4000-8000-000000000000";

    private static Guid RowId(int number) => Guid.Parse($"{number:d8}-0000-4000-8000-000000000000");

    private ISessionStore Sessions(int replica) => replicas[replica].GetRequiredService<ISessionStore>();

    private IOperatorStore Operators(int replica) => replicas[replica].GetRequiredService<IOperatorStore>();

    private Guid Replica(int replica) => replicas[replica].GetRequiredService<Replica>().Id;

    private async Task<Guid> StartAsync(string at, int replica, string team, string name, (ClientSessionKey Key, Caller Caller) client, int row)
    {
        var session = new NewSession(RowId(row), new SessionName($"sjns-{team}-dev", $"spark-connect-{team}-{name}"), "local", team, "dev", client.Key.UserId, Replica(replica));
        await AtAsync(at, replica, one => one.OpenAsync(session, client.Key, TestStore.NoLimits, client.Caller, CancellationToken.None));
        return session.Id;
    }

    private async Task<Guid> OpenAsync(string at, string readyAt, int replica, string team, string name, (ClientSessionKey Key, Caller Caller) client, int row)
    {
        var id = await StartAsync(at, replica, team, name, client, row);
        await ReadyAsync(readyAt, replica, id);
        return id;
    }

    private Task ReadyAsync(string at, int replica, Guid id) =>
        AtAsync(at, replica, one => one.MarkReadyAsync(id, Replica(replica), "127.0.0.1:20001", "4711/99", TimeSpan.FromHours(4), CancellationToken.None));

    private async Task EndAsync(string at, string endedAt, int replica, Guid id, EndReason reason, string detail)
    {
        await AtAsync(at, replica, one => one.MarkEndingAsync(id, reason, detail, new EndCondition.Told(Caller.Gateway), CancellationToken.None));
        await AtAsync(endedAt, replica, one => one.EndAsync(id, reason, detail, Caller.Gateway, CancellationToken.None));
    }

    private async Task AtAsync<T>(string time, int replica, Func<ISessionStore, Task<Result<T>>> change)
    {
        Assert.Null((await change(Sessions(replica))).Error);
        await store.RewriteAuditAsync($"at = '2030-{time}.000Z'", $"id > {lastId}");
        var newest = (await store.QueryAsync("SELECT max(id) AS id FROM audit_log")).Single()["id"];
        Assert.NotEqual(lastId, newest);
        lastId = newest;
    }
}
