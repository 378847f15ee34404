using System.Text.Json;
using System.Text.Json.Nodes;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>Whether a driver whose connection broke is dialled again, while the watch shows it as it was.</summary>
public sealed class DriverCheckTests : IDisposable
{
    private static readonly KubeObject Running = Sample.Of("running").PodObject;

    private readonly FakeKubeApi api = new();
    private readonly WatchedTime time = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));
    private readonly LiveDrivers live;
    private readonly DriverCheck check;
    private readonly Session session = new()
    {
        Id = Guid.NewGuid(),
        Name = new SessionName("ns", "app"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = KubernetesPlatform.PlatformName,
        State = SessionState.Ready,
        RuntimeId = Sample.Of("running").Pod!.Endpoint!.RuntimeId,
    };

    public DriverCheckTests()
    {
        var cluster = new ClusterView(api, AllFlavours.List);
        live = new LiveDrivers(cluster, new DriverLogs(api, cluster, new FakeDriverTokens()), api, time, new LogLines().For<LiveDrivers>());
        check = new DriverCheck(new PodFinder(api, cluster), live, new GatewayOptions(), time);
        api.WatchOf<DriverPod>(ResourceKind.Pods).Put(Running);
        live.Track(new LiveDriver(session.Id, SessionKind.OnDemand, session.Name, Sample.Of("running").ApplicationObject.Uid, Sample.Of("running").Pod!));
        _ = live.RunAsync(deadline.Token);
    }

    public void Dispose()
    {
        deadline.Cancel();
        live.Dispose();
        deadline.Dispose();
    }

    [Fact]
    public async Task Driver_ThatIsThere_Stands()
    {
        api.OnGet = (_, _) => Running;

        Assert.True(await check.StandsAsync(session, deadline.Token));

        Assert.True(live.IsTracked(session.Id));
    }

    [Fact]
    public async Task Driver_WhosePodHasGone_IsLost()
    {
        Assert.False(await check.StandsAsync(session, deadline.Token));

        var exit = await live.Exits.ReadAsync(deadline.Token);
        Assert.Equal((session.Id, EndReason.Lost), (exit.SessionId, exit.Reason));
    }

    [Fact]
    public async Task Driver_InWhosePlaceAnotherPodOfItsNameIs_IsLost()
    {
        var other = JsonNode.Parse(Running.Json.GetRawText())!;
        other["metadata"]!["uid"] = Guid.NewGuid().ToString();
        api.OnGet = (_, _) => Sample.Object(JsonDocument.Parse(other.ToJsonString()).RootElement);

        Assert.False(await check.StandsAsync(session, deadline.Token));

        Assert.Equal(EndReason.Lost, (await live.Exits.ReadAsync(deadline.Token)).Reason);
    }

    [Fact]
    public async Task Driver_WhoseContainerWasStartedAgain_HasCrashed()
    {
        var again = JsonNode.Parse(Running.Json.GetRawText())!;
        var status = again["status"]!["containerStatuses"]![0]!;
        (status["containerID"], status["restartCount"]) = ("containerd://another", 1);
        status["lastState"] = JsonNode.Parse("""{"terminated": {"exitCode": 137, "reason": "OOMKilled"}}""");
        api.OnGet = (_, _) => Sample.Object(JsonDocument.Parse(again.ToJsonString()).RootElement);

        Assert.False(await check.StandsAsync(session, deadline.Token));

        Assert.Equal(EndReason.Crashed, (await live.Exits.ReadAsync(deadline.Token)).Reason);
    }

    [Fact]
    public async Task ApiServer_ThatIsSilent_SaysNothingOfADriver()
    {
        api.OnGet = (_, _) => FakeKubeApi.Silent;

        Assert.True(await check.StandsAsync(session, deadline.Token));

        Assert.True(live.IsTracked(session.Id));
    }

    [Fact]
    public async Task Driver_OfTheConfiguration_IsNotThePlatforms()
    {
        Assert.True(await check.StandsAsync(session with { Platform = Session.ConfigPlatform }, deadline.Token));

        Assert.Equal(0, api.Gets);
    }
}
