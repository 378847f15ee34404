using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class OperatorStoreTests
{
    private static readonly Caller Operator = new("ops as jane (unverified)", "10.0.0.9:1", "curl/8");

    [Theory, EachStore]
    public async Task OpenUnclaimed_Fresh_IsStartingAndNobodys(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);

        var (session, id) = await OpenAsync(store);

        Assert.Equal((SessionState.Starting, null, "ml"), (session.State, session.OpenedBy, session.Team));
        Assert.Equal(session, (await store.Sessions.FindSessionAsync(session.Id, CancellationToken.None)).Value);
        var audit = Assert.Single(await store.QueryAsync("SELECT * FROM audit_log"));
        Assert.Equal(("open", "ops as jane (unverified)", ""), (audit["action"], audit["actor"], audit["claimed_user"]));
        Assert.DoesNotContain(id, string.Concat(audit.Values), StringComparison.Ordinal);
        var binding = Assert.Single(await store.QueryAsync("SELECT client_session_prefix, state, via FROM bindings"));
        Assert.Equal((id[..8], "bound", "precreated"), (binding["client_session_prefix"], binding["state"], binding["via"]));
    }

    [Theory, EachStore]
    public async Task OpenUnclaimed_Limits_CountTheTotalOnly(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await OpenAsync(store, new SessionLimits(2, 1));
        await OpenAsync(store, new SessionLimits(2, 1));

        var refused = await Operators(store).OpenUnclaimedAsync(NewUnclaimed(store), new SessionLimits(2, 1), Operator, CancellationToken.None);

        Assert.Equal(ErrorCode.ResourceExhausted, refused.Error!.Code);
        Assert.StartsWith("All 2 Spark sessions of this gateway are taken: (no user) holds 2.", refused.Error.Text);
    }

    [Theory, EachStore]
    public async Task Claim_TheId_BindsItsUserAndForgetsThePlaceholder(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (session, id) = await OpenAsync(store);
        var key = new ClientSessionKey("alice", id);

        var claimed = (await Operators(store).ClaimAsync(key, TestStore.Alice, CancellationToken.None)).Value!;

        Assert.Equal((session.Id, "alice", BindingState.Bound, BoundVia.PreCreated), (claimed.Session.Id, claimed.Session.OpenedBy, claimed.Binding.State, claimed.Binding.Via));
        Assert.Equal(claimed, (await store.Sessions.FindBindingAsync(key, CancellationToken.None)).Value);
        Assert.Equal(claimed, (await Operators(store).ClaimAsync(key, TestStore.Alice, CancellationToken.None)).Value);
        Assert.Single(await store.QueryAsync("SELECT 1 FROM bindings"));
        Assert.Equal(["open", "bind"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task Claim_TwentyUsersAtOnceOnTwoReplicas_OneGetsIt(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (session, id) = await OpenAsync(store);
        IOperatorStore[] replicas = [Operators(store), store.AddProcess().GetRequiredService<IOperatorStore>()];

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Factory.StartNew(
            () => replicas[number % 2].ClaimAsync(new ClientSessionKey($"user{number}", id), TestStore.Alice, CancellationToken.None),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));

        Assert.All(claims, claim => Assert.Null(claim.Error));
        var winner = Assert.Single(claims, claim => claim.Value is not null).Value!;
        Assert.Equal((session.Id, winner.Binding.Key.UserId), (winner.Session.Id, winner.Session.OpenedBy));
        Assert.Single(await store.QueryAsync("SELECT 1 FROM bindings"));
        Assert.Equal(["open", "bind"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task Claim_IdOfNoPrecreatedSession_IsNull(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await OpenAsync(store);

        Assert.Null((await Operators(store).ClaimAsync(TestStore.Key(), TestStore.Alice, CancellationToken.None)).Value);
        Assert.Equal(["open"], await store.ActionsAsync());
    }

    [Theory, EachStore]
    public async Task Claim_AfterTheEnd_GivesTheEndedSession(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var (session, id) = await OpenAsync(store);
        await store.Sessions.EndAsync(session.Id, EndReason.ClosedByOperator, "ops", Operator, CancellationToken.None);

        var claimed = (await Operators(store).ClaimAsync(new ClientSessionKey("alice", id), TestStore.Alice, CancellationToken.None)).Value!;

        Assert.Equal((SessionState.Ended, BindingState.Ended), (claimed.Session.State, claimed.Binding.State));
    }

    [Theory, EachStore]
    public async Task MarkEnding_Told_NamesTheOperatorInTheAudit(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ready = (await store.OpenReadyAsync()).Session;

        var ending = await store.Sessions.MarkEndingAsync(ready.Id, EndReason.ClosedByOperator, "ops: why", new EndCondition.Told(Operator), CancellationToken.None);

        Assert.Equal((SessionState.Ending, "ops: why"), (ending.Value!.State, ending.Value.EndDetail));
        var audit = (await store.QueryAsync("SELECT actor, reason FROM audit_log WHERE action = 'ending'")).Single();
        Assert.Equal(("ops as jane (unverified)", "closed_by_operator"), (audit["actor"], audit["reason"]));
    }

    [Theory, EachStore]
    public async Task Extend_Ready_MovesMaxTtlByExactlyThatMuch(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ready = (await store.OpenReadyAsync()).Session;

        var extended = (await Operators(store).ExtendAsync(ready.Id, 90, 24, Operator, CancellationToken.None)).Value;

        Assert.Equal(ready.MaxTtlAt + TimeSpan.FromMinutes(90), extended.MaxTtlAt);
        var audit = (await store.QueryAsync("SELECT actor, detail FROM audit_log WHERE action = 'extend'")).Single();
        Assert.Equal("ops as jane (unverified)", audit["actor"]);
        Assert.Contains("90", audit["detail"], StringComparison.Ordinal);
    }

    [Theory, EachStore]
    public async Task Extend_BeyondTheBound_IsRefusedAndChangesNothing(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var ready = (await store.OpenReadyAsync()).Session;
        await store.ExecuteAsync($"UPDATE sessions SET max_ttl_at = {store.Ago(60)}");
        var before = (await store.Sessions.FindSessionAsync(ready.Id, CancellationToken.None)).Value!.MaxTtlAt;

        var refused = await Operators(store).ExtendAsync(ready.Id, 62, 1, Operator, CancellationToken.None);
        var allowed = await Operators(store).ExtendAsync(ready.Id, 60, 1, Operator, CancellationToken.None);

        Assert.Contains("admin.max_extension_hours", refused.Error!.Text, StringComparison.Ordinal);
        Assert.Equal(before + TimeSpan.FromMinutes(60), allowed.Value.MaxTtlAt);
    }

    [Theory, EachStore]
    public async Task Extend_StartingEndedAttachedOrUnknown_SaysWhyNot(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        var starting = (await store.OpenAsync()).Session;
        var ended = (await store.OpenReadyAsync()).Session;
        await store.Sessions.EndAsync(ended.Id, EndReason.Idle, "", Caller.Gateway, CancellationToken.None);
        var attached = (await store.Sessions.SyncAttachedAsync([new AttachedDriver(new SessionName("ns", "app"), "h:1", null)], CancellationToken.None)).Value.Single();

        foreach (var (id, word) in new[] { (starting.Id, "still starting"), (ended.Id, "has ended"), (attached.Id, "no time limit"), (Guid.NewGuid(), "There is no session") })
        {
            var refused = await Operators(store).ExtendAsync(id, 1, 24, Operator, CancellationToken.None);
            Assert.Contains(word, refused.Error!.Text, StringComparison.Ordinal);
        }
    }

    private static IOperatorStore Operators(TestStore store) => store.First.GetRequiredService<IOperatorStore>();

    private static UnclaimedSession NewUnclaimed(TestStore store)
    {
        var session = store.NewSession();
        return new(session.Id, session.Name, session.Platform, session.Team, session.Environment, session.OwnerReplica, Guid.NewGuid().ToString("D"));
    }

    private static async Task<(Session Session, string ClientSessionId)> OpenAsync(TestStore store, SessionLimits? limits = null)
    {
        var unclaimed = NewUnclaimed(store);
        var opened = await Operators(store).OpenUnclaimedAsync(unclaimed, limits ?? TestStore.NoLimits, Operator, CancellationToken.None);
        return (opened.Value, unclaimed.ClientSessionId);
    }
}
