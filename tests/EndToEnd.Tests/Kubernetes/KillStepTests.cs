using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>How far the start of a session is.</summary>
public enum OpenStep
{
    /// <summary>The row is there; the API server has not heard of the application.</summary>
    ApplicationAsked,

    /// <summary>The application is there; the gateway does not know.</summary>
    ApplicationMade,
    SecretAsked,
    SecretMade,
    PodStarting,

    /// <summary>The driver runs; the gateway does not know.</summary>
    PodRunning,

    /// <summary>The gateway knows; the store does not.</summary>
    ReadyUntold,
}

/// <summary>How far the end of a session is. It begins with the row's mark.</summary>
public enum EndStep
{
    /// <summary>The API server has not heard of the deletion.</summary>
    DeletionAsked,

    /// <summary>The application is deleted; the gateway does not know.</summary>
    DeletionDone,
    PodGoing,

    /// <summary>Nothing is left on the cluster; the store does not know.</summary>
    EndUntold,
}

/// <summary>
/// The gateway dies by SIGKILL at each step of a session's start and of its end, held there so that nothing is left to chance: who
/// goes on finds what was made, makes what was not, and clears away the rest. Nothing twice, nothing left, nobody left waiting.
/// </summary>
[Collection(nameof(Alone))]
public sealed class KillStepTests(SharedPlane shared)
{
    private const string Applications = "sparkapplications";
    private const string Secrets = "secrets";
    private const string Note = "killed in the middle";

    /// <summary>The same program at each step; another replica where the cluster was a step ahead of what the dead one knew or had told.</summary>
    public static TheoryData<OpenStep, Heir> Opens { get; } =
    [
        .. Enum.GetValues<OpenStep>().Select(step => (step, Heir.Restarted)),
        (OpenStep.ApplicationMade, Heir.Replica), (OpenStep.SecretMade, Heir.Replica), (OpenStep.PodRunning, Heir.Replica), (OpenStep.ReadyUntold, Heir.Replica),
    ];

    public static TheoryData<EndStep, Heir> Ends { get; } =
    [
        .. Enum.GetValues<EndStep>().Select(step => (step, Heir.Restarted)),
        (EndStep.DeletionDone, Heir.Replica), (EndStep.EndUntold, Heir.Replica),
    ];

    [Theory]
    [MemberData(nameof(Opens))]
    public async Task KilledWhileASessionOpens_ItsClientIsServedByTheOneDriver(OpenStep step, Heir heir)
    {
        await using var scene = await KillScene.StartAsync(await shared.SceneAsync(), heir, step == OpenStep.PodStarting ? "start-delay:8" : "");
        var hold = Hold(scene.Proxy, step);
        if (step == OpenStep.PodRunning) scene.Proxy.StopWatches();
        await using var client = PythonClient.Start(CrashTests.Patient, scene.Url);

        await KillAtAsync(scene, step, hold);
        scene.Proxy.ContinueWatches();
        await scene.GoOnAsync();

        Assert.Contains("rows 5", await PythonClient.GoodEndAsync(client), StringComparison.Ordinal);
        var session = Assert.Single(await scene.Ledger.SessionsAsync());
        Assert.Equal("ready", session.State);
        var id = session.Id.ToString();
        Assert.Equal([("Pod", id), ("Secret", id), ("SparkApplication", id)], (await scene.OursAsync()).Order());
        Assert.Equal((1, 1), (scene.Made(Applications), scene.Made(Secrets)));
        Assert.Equal(1, await scene.Ledger.NumberAsync("SELECT count(*) FROM audit_log WHERE action = 'adopt'"));
        await scene.Ledger.AgreesAsync();
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task KilledWhileASessionEnds_ItEndsOnce_AndItsClientReadsWhy(EndStep step, Heir heir)
    {
        using var marker = new Marker();
        await using var scene = await KillScene.StartAsync(await shared.SceneAsync(), heir, step == EndStep.PodGoing ? "slow-stop" : "");
        await using var client = KubeScene.StartWaiting(marker, scene.Url);
        await marker.SeenAsync("ready", client, KubeScene.Limit);
        var hold = Hold(scene.Proxy, step);

        await scene.First.SessionsAsync("close", $"{KubeScene.Namespace}/{Assert.Single(await scene.Ledger.SessionsAsync()).Name}", "--note", Note);
        await KillAtAsync(scene, step, hold);
        await scene.GoOnAsync();

        Assert.Equal("closed_by_operator", (await scene.Ledger.EndedAsync(scene.Client)).EndReason);
        marker.Set("go");
        var told = await PythonClient.GoodEndAsync(client);
        Assert.Contains("told [INVALID_HANDLE.SESSION_CHANGED]", told, StringComparison.Ordinal);
        Assert.Contains(Note, told, StringComparison.Ordinal);
        await Deadlines.UntilAsync("the end of all that was made", async () => (await scene.OursAsync()).Count == 0, KubeScene.Limit);
        Assert.Equal((1, 1), (scene.Made(Applications), scene.Made(Secrets)));
        Assert.Equal(1, await scene.Ledger.NumberAsync("SELECT count(*) FROM audit_log WHERE action = 'ending'"));
        await scene.Ledger.AgreesAsync();
    }

    private static HeldRequest? Hold(ApiServerProxy proxy, OpenStep step) => step switch
    {
        OpenStep.ApplicationAsked => proxy.Hold(HoldPoint.Request, "POST", Applications),
        OpenStep.ApplicationMade => proxy.Hold(HoldPoint.Answer, "POST", Applications),
        OpenStep.SecretAsked or OpenStep.ReadyUntold => proxy.Hold(HoldPoint.Request, "POST", Secrets),
        OpenStep.SecretMade => proxy.Hold(HoldPoint.Answer, "POST", Secrets),
        _ => null,
    };

    private static HeldRequest? Hold(ApiServerProxy proxy, EndStep step) => step switch
    {
        EndStep.DeletionAsked or EndStep.EndUntold => proxy.Hold(HoldPoint.Request, "DELETE", Applications),
        EndStep.DeletionDone => proxy.Hold(HoldPoint.Answer, "DELETE", Applications),
        _ => null,
    };

    private static async Task KillAtAsync(KillScene scene, OpenStep step, HeldRequest? hold)
    {
        if (hold is not null) await hold.HeldAsync(KubeScene.Limit);
        if (step == OpenStep.PodStarting) await scene.PodAsync("that starts", pod => KillScene.PhaseOf(pod) == "Pending");
        if (step == OpenStep.PodRunning) await scene.PodAsync("that is ready", KillScene.IsReady);
        if (step == OpenStep.ReadyUntold) await KillBeforeTheStoreKnowsAsync(scene, hold!, "ready_at", "starting");
        else await scene.KillAsync("starting");
    }

    private static async Task KillAtAsync(KillScene scene, EndStep step, HeldRequest? hold)
    {
        if (hold is not null) await hold.HeldAsync(KubeScene.Limit);
        if (step == EndStep.PodGoing) await scene.PodAsync("that is told to go", KillScene.IsGoing);
        if (step == EndStep.EndUntold) await KillBeforeTheStoreKnowsAsync(scene, hold!, "ended_at", "ending");
        else await scene.KillAsync("ending");
    }

    /// <summary>The row is held before the last step begins, and the gateway dies while its word for it waits.</summary>
    private static async Task KillBeforeTheStoreKnowsAsync(KillScene scene, HeldRequest before, string column, string state)
    {
        await using var rows = await scene.LockRowsAsync();
        before.LetGo();
        await rows.WaitedForAsync(column, KubeScene.Limit);
        await scene.KillAsync(state);
    }
}
