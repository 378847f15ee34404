using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>A driver that calls of this replica may go to.</summary>
/// <param name="Pod">As it was when it was last seen alive.</param>
internal sealed record LiveDriver(Guid SessionId, SessionKind Kind, SessionName Name, string ApplicationUid, DriverPod Pod);

/// <summary>
/// The drivers that are in use here, each by the uid of its pod and the id of its container: the first sign that one of them is
/// no more is its end, whatever stands at its address from then on.
/// </summary>
internal sealed partial class LiveDrivers : IDisposable
{
    /// <summary>More than drivers that a gateway has.</summary>
    private const int MaxUnread = 16_384;

    /// <summary>A node that dies takes many with it.</summary>
    private const int JudgedAtOnce = 16;
    private const int TailLines = 20;
    private static readonly TimeSpan LogLimit = TimeSpan.FromSeconds(1);

    /// <summary>Each question has waited for its own limit already.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(2);

    private readonly ClusterView cluster;
    private readonly DriverLogs logs;
    private readonly IKubeApi api;
    private readonly TimeProvider time;
    private readonly ILogger<LiveDrivers> logger;
    private readonly ConcurrentDictionary<string, LiveDriver> byApplication = new();
    private readonly Channel<LiveDriver> suspects = Channel.CreateBounded<LiveDriver>(MaxUnread);
    private readonly Channel<DriverExit> exits = Channel.CreateBounded<DriverExit>(MaxUnread);

    public LiveDrivers(ClusterView cluster, DriverLogs logs, IKubeApi api, TimeProvider time, ILogger<LiveDrivers> logger)
    {
        (this.cluster, this.logs, this.api, this.time, this.logger) = (cluster, logs, api, time, logger);
        cluster.Changed += Look;
    }

    public ChannelReader<DriverExit> Exits => exits.Reader;

    public void Track(LiveDriver driver)
    {
        byApplication[driver.ApplicationUid] = driver;

        // It may have ended between the look of the caller and now.
        Look(driver.ApplicationUid);
    }

    public bool IsTracked(Guid sessionId) => byApplication.Values.Any(driver => driver.SessionId == sessionId);

    /// <summary>From here on its end is no news: the gateway ends it.</summary>
    public void Forget(Guid sessionId)
    {
        foreach (var (uid, driver) in byApplication)
            if (driver.SessionId == sessionId) byApplication.TryRemove(KeyValuePair.Create(uid, driver));
    }

    /// <summary>The API server has said that it is gone, before the watch did.</summary>
    public void Suspect(Guid sessionId)
    {
        foreach (var (_, driver) in byApplication)
            if (driver.SessionId == sessionId) Suspect(driver);
    }

    /// <summary>Looks into suspects, and reports those that are gone.</summary>
    public Task RunAsync(CancellationToken cancellation) => Parallel.ForEachAsync(
        suspects.Reader.ReadAllAsync(cancellation),
        new ParallelOptions { MaxDegreeOfParallelism = JudgedAtOnce, CancellationToken = cancellation },
        async (driver, stop) => await JudgeAsync(driver, stop));

    /// <summary>A driver that was found to be gone by other means than the watch.</summary>
    public ValueTask ReportAsync(DriverExit exit, CancellationToken cancellation) => exits.Writer.WriteAsync(exit, cancellation);

    public void Dispose()
    {
        cluster.Changed -= Look;
        exits.Writer.TryComplete();
    }

    /// <summary>Runs inside the watch's event: short, and without a call.</summary>
    private void Look(string applicationUid)
    {
        if (!byApplication.TryGetValue(applicationUid, out var driver)) return;
        if (cluster.TryGetPod(driver.Pod.Uid, out var pod) && pod.Endpoint?.RuntimeId == driver.Pod.Endpoint!.RuntimeId) return;

        Suspect(driver);
    }

    /// <summary>Taken out at once, so that each end is told once.</summary>
    private void Suspect(LiveDriver driver)
    {
        if (byApplication.TryRemove(KeyValuePair.Create(driver.ApplicationUid, driver)) && !suspects.Writer.TryWrite(driver)) byApplication[driver.ApplicationUid] = driver;
    }

    private async Task JudgeAsync(LiveDriver driver, CancellationToken cancellation)
    {
        var last = cluster.TryGetPod(driver.Pod.Uid, out var known) ? known : null;
        if (!DriverEnds.IsCertain(driver.Pod, last))
        {
            // Out of the watch, or not yet in it, is not out of the world.
            last = await ReadAsync(driver, cancellation);
            if (last?.Endpoint?.RuntimeId == driver.Pod.Endpoint!.RuntimeId)
            {
                byApplication.TryAdd(driver.ApplicationUid, driver);
                return;
            }
        }

        var (reason, detail) = DriverEnds.Explain(driver, last);
        var tail = driver.Kind == SessionKind.OnDemand && last is { IsDeleting: false } ? await TailAsync(last, cancellation) : "";
        LogGone(driver.Name, detail);
        await exits.Writer.WriteAsync(new DriverExit(driver.SessionId, reason, detail, tail), cancellation);
    }

    /// <summary>Null: it is gone. An API server that does not answer says nothing of a driver, so it is asked until it does.</summary>
    private async Task<DriverPod?> ReadAsync(LiveDriver driver, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await api.GetAsync(ResourceKind.Pods, driver.Pod.Key, cancellation);
            if (read.IsOk) return read.Value is { } there && there.Uid == driver.Pod.Uid ? cluster.Parse(there) : null;
            await Task.Delay(AskAgain, time, cancellation);
        }
    }

    /// <summary>A short wait: until it is over, calls may still find the route.</summary>
    private async Task<string> TailAsync(DriverPod pod, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(LogLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return await logs.TailOrNothingAsync(pod, TailLines, previous: pod.Ended is null && pod.LastEnd is not null, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "";
        }
    }

    [LoggerMessage(3062, LogLevel.Information, "The driver of session {Session} is gone: {Detail}")]
    private partial void LogGone(SessionName session, string detail);
}
