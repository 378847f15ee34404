using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>What counts as a driver of this gateway, and when that is known well enough to delete by it.</summary>
public sealed class DriverInventoryTests
{
    private const int SilenceSeconds = 150;

    private static readonly KubeObject Application = Sample.Of("running").ApplicationObject;
    private static readonly ApplicationView View = Sample.Of("running").Application;

    private readonly FakeKubeApi api = new();
    private readonly OwnInstance instance = new(new FakeGatewayInstance { Id = Guid.Parse(View.Instance!) });
    private readonly DriverInventory inventory;

    public DriverInventoryTests()
    {
        var cluster = new ClusterView(api, AllFlavours.List);
        inventory = new DriverInventory(api, cluster, new ApplicationFinder(api, cluster, instance), instance, new GatewayOptions { Kubernetes = { WatchSilenceSeconds = SilenceSeconds } });
        Applications.Put(Application);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Session Session => new()
    {
        Id = View.SessionId!.Value,
        Name = new SessionName(View.Key.Namespace, View.Key.Name),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = KubernetesPlatform.PlatformName,
        State = SessionState.Ready,
        OpenedAt = DateTimeOffset.UnixEpoch,
    };

    private FakeWatch<ApplicationView> Applications => api.WatchOf<ApplicationView>(new SparkApplicationFlavour().Kind);

    [Fact]
    public async Task List_ApplicationsOfThisGatewaysSessions_NoOthers()
    {
        await instance.ReadAsync(Cancellation);
        Applications.Put(Labelled("others", GatewayLabels.Instance, Guid.NewGuid().ToString()));
        Applications.Put(Labelled("nobodys", GatewayLabels.Instance, null));
        Applications.Put(Labelled("no-session", GatewayLabels.Session, null));
        Applications.Put(Labelled("no-id", GatewayLabels.Session, "none"));

        var entry = Assert.Single(inventory.List().Value);

        Assert.Equal(new InventoryEntry(Session.Id, Session.Name, View.Uid, IsRunning: true), entry);
    }

    [Theory]
    [InlineData("SUBMITTED", true)]
    [InlineData("", true)]
    [InlineData("PENDING_RERUN", true)]
    [InlineData("COMPLETED", false)]
    [InlineData("FAILED", false)]
    [InlineData("SUSPENDED", false)]
    public async Task List_ApplicationThatIsOver_IsThereButDoesNotRun(string state, bool isRunning)
    {
        await instance.ReadAsync(Cancellation);
        Applications.Put(Sample.Change(Application, app => app["status"]!["applicationState"]!["state"] = state));
        Assert.Equal(isRunning, Assert.Single(inventory.List().Value).IsRunning);

        Applications.Put(Sample.Change(Application, app => app["metadata"]!["deletionTimestamp"] = "2026-11-28T02:40:00Z"));
        Assert.False(Assert.Single(inventory.List().Value).IsRunning);
    }

    [Fact]
    public async Task List_KnowledgeThatMayBeOldOrInPart_IsNone()
    {
        Assert.Equal(ErrorCode.Unavailable, inventory.List().Error?.Code);
        await instance.ReadAsync(Cancellation);
        Assert.True(inventory.List().IsOk);

        Applications.IsSynced = false;
        Assert.False(inventory.List().IsOk);
        (Applications.IsSynced, Applications.SilentFor) = (true, TimeSpan.FromSeconds(SilenceSeconds));
        Assert.True(inventory.List().IsOk);
        (Applications.SilentFor, Applications.Trouble) = (TimeSpan.FromSeconds(SilenceSeconds + 1), "it said nothing");
        Assert.Equal("it said nothing", inventory.List().Error?.Text);
    }

    [Fact]
    public async Task Exists_AsksTheApiServer_WhateverTheWatchShows()
    {
        await instance.ReadAsync(Cancellation);
        Assert.False((await inventory.ExistsAsync(Session, Cancellation)).Value);

        api.OnGet = (kind, _) => kind == new SparkApplicationFlavour().Kind ? Application : KubeResult<KubeObject?>.Ok(null);
        Assert.True((await inventory.ExistsAsync(Session, Cancellation)).Value);
        Assert.False((await inventory.ExistsAsync(Session with { Id = Guid.NewGuid() }, Cancellation)).Value);
        api.OnGet = (_, _) => Sample.Change(Application, app => app["status"]!["applicationState"]!["state"] = "FAILED");
        Assert.False((await inventory.ExistsAsync(Session, Cancellation)).Value);
        api.OnGet = (_, _) => FakeKubeApi.Silent;
        Assert.Equal(FakeKubeApi.Silent.Error, (await inventory.ExistsAsync(Session, Cancellation)).Error);
    }

    [Fact]
    public async Task Remove_Entry_IsDeletedByItsUidUnlessItLeftTheWatch()
    {
        var entry = new InventoryEntry(Session.Id, Session.Name, View.Uid);

        Assert.True((await inventory.RemoveAsync(entry, Cancellation)).Value);
        Assert.False((await inventory.RemoveAsync(entry with { Id = "gone" }, Cancellation)).Value);

        Assert.Equal([(new SparkApplicationFlavour().Kind, View.Key, View.Uid)], api.Deletions);
        api.OnDelete = _ => FakeKubeApi.Silent;
        Assert.Equal(FakeKubeApi.Silent.Error, (await inventory.RemoveAsync(entry, Cancellation)).Error);
    }

    private static KubeObject Labelled(string name, string label, string? value) => Sample.Change(Application, app =>
    {
        (app["metadata"]!["name"], app["metadata"]!["uid"]) = (name, name);
        app["metadata"]!["labels"]![label] = value;
    });
}
