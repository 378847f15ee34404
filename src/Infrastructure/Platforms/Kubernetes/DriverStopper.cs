using Microsoft.Extensions.Logging;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>Ends drivers: deletes the application, of which the cluster then takes pod, services and Secret away.</summary>
internal sealed partial class DriverStopper(
    IKubeApi api,
    ClusterView cluster,
    ApplicationFinder finder,
    OwnInstance instance,
    GatewayOptions options,
    TimeProvider time,
    ILogger<DriverStopper> logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Deletes the application of that session, as often as it takes while the API server cannot be reached, and waits until its
    /// pod is gone. What is left after kubernetes.stop_limit_seconds is found as an orphan later.
    /// </summary>
    public async Task StopAsync(DriverRef driver, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Kubernetes.StopLimitSeconds), time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            if (await DeleteAsync(driver, any.Token) is { } uid) await GoneAsync(uid, any.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            LogNotGone(driver.Name.ToString(), options.Kubernetes.StopLimitSeconds);
        }
    }

    /// <summary>The uid of the application that was there; null: there was none.</summary>
    private async Task<string?> DeleteAsync(DriverRef driver, CancellationToken cancellation)
    {
        var key = new ObjectKey(driver.Name.Namespace, driver.Name.Name);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if ((await TryDeleteAsync(key, driver.SessionId, cancellation)).TryGet(out var uid, out var error)) return uid.Length == 0 ? null : uid;
            LogNotDeleted(driver.Name.ToString(), error);
            await Task.Delay(pause, time, cancellation);
        }
    }

    private async Task<Domain.Result<string>> TryDeleteAsync(ObjectKey key, Guid sessionId, CancellationToken cancellation)
    {
        var self = await instance.ReadAsync(cancellation);
        if (self.Error is { } unread) return unread;
        var found = await finder.FindAsync(key, sessionId, cancellation);
        if (found.Error is { } unfound) return unfound.Error;
        if (found.Value is not { } application) return "";
        var deletion = await api.DeleteAsync(application.Flavour.Kind, key, application.View.Uid, cancellation);
        return deletion.Error is { } undeleted ? undeleted.Error : application.View.Uid;
    }

    private async Task GoneAsync(string uid, CancellationToken cancellation)
    {
        using var changes = cluster.Follow(uid);
        while (cluster.PodOf(uid) is not null || cluster.Application(uid) is not null) await changes.WaitAsync(LookEvery, time, cancellation);
    }

    private void LogNotDeleted(string session, Domain.GatewayError error) => LogNotDeleted(session, error.Text);

    [LoggerMessage(3060, LogLevel.Warning, "The driver of session {Session} could not be deleted yet: {Reason}")]
    private partial void LogNotDeleted(string session, string reason);

    [LoggerMessage(3061, LogLevel.Warning, "The driver of session {Session} was not gone {Seconds} s after its end (kubernetes.stop_limit_seconds); what is left of it is looked for again")]
    private partial void LogNotGone(string session, int seconds);
}
