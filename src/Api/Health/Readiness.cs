using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Health;

/// <param name="Ready">False: this replica should get no new connections.</param>
/// <param name="Degraded">It does not work, and no replica that is taken out would mend that.</param>
internal sealed record ComponentReport(string Name, bool Ready, bool Degraded, string Reason);

internal sealed record ReadinessReport(bool Ready, bool Degraded, IReadOnlyList<ComponentReport> Components)
{
    /// <summary>One line for the whole, one for each component.</summary>
    public string Text => string.Concat(
        [$"{Word(Ready, Degraded)}\n", .. Components.Select(component => $"{component.Name}: {Word(component.Ready, component.Degraded)}: {component.Reason.ReplaceLineEndings(" ")}\n")]);

    private static string Word(bool isReady, bool isDegraded) => !isReady ? "not ready" : isDegraded ? "degraded" : "ready";
}

/// <summary>Asks all components at once, each within health.check_seconds.</summary>
internal sealed class Readiness(IEnumerable<IReadinessCheck> checks, GatewayOptions options, TimeProvider time)
{
    public async Task<ReadinessReport> ReportAsync(CancellationToken cancellation)
    {
        var components = await Task.WhenAll(checks.Select(check => AskAsync(check, cancellation)));
        return new(components.All(component => component.Ready), components.Any(component => component.Degraded), components);
    }

    private async Task<ComponentReport> AskAsync(IReadinessCheck check, CancellationToken cancellation)
    {
        var limit = TimeSpan.FromSeconds(options.Health.CheckSeconds);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            return Report(check, await check.CheckAsync(stop.Token).AsTask().WaitAsync(limit, time, cancellation));
        }
        catch (TimeoutException)
        {
            await stop.CancelAsync();
            return Report(check, ReadinessResult.NotReady($"no answer within {options.Health.CheckSeconds} s (health.check_seconds)"));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Only the type: messages of foreign exceptions may hold a connection string.
            return Report(check, ReadinessResult.NotReady($"the check failed: {e.GetType().Name}"));
        }
    }

    private static ComponentReport Report(IReadinessCheck check, ReadinessResult result)
    {
        var isReady = result.IsReady || check.IsShared;
        return new(check.Name, isReady, result.IsDegraded || (isReady && !result.IsReady), result.Reason);
    }
}

/// <summary>Not ready while hosted services start and while calls drain.</summary>
internal sealed class ProcessReadiness(IHostApplicationLifetime lifetime) : IReadinessCheck
{
    public string Name => "process";

    public ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation) => ValueTask.FromResult(
        lifetime.ApplicationStopping.IsCancellationRequested ? ReadinessResult.NotReady("stopping")
        : lifetime.ApplicationStarted.IsCancellationRequested ? ReadinessResult.Ready()
        : ReadinessResult.NotReady("starting"));
}
