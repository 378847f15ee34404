using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Health;

internal sealed record ComponentReport(string Name, bool Ready, string Reason);

internal sealed record ReadinessReport(bool Ready, IReadOnlyList<ComponentReport> Components);

/// <summary>Asks all components at once, each within health.check_seconds.</summary>
internal sealed class Readiness(IEnumerable<IReadinessCheck> checks, GatewayOptions options, TimeProvider time)
{
    public async Task<ReadinessReport> ReportAsync(CancellationToken cancellation)
    {
        var components = await Task.WhenAll(checks.Select(check => AskAsync(check, cancellation)));
        return new(components.All(component => component.Ready), components);
    }

    private async Task<ComponentReport> AskAsync(IReadinessCheck check, CancellationToken cancellation)
    {
        var limit = TimeSpan.FromSeconds(options.Health.CheckSeconds);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var result = await check.CheckAsync(stop.Token).AsTask().WaitAsync(limit, time, cancellation);
            return new(check.Name, result.IsReady, result.Reason);
        }
        catch (TimeoutException)
        {
            await stop.CancelAsync();
            return new(check.Name, false, $"no answer within {options.Health.CheckSeconds} s (health.check_seconds)");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Only the type: messages of foreign exceptions may hold a connection string.
            return new(check.Name, false, $"the check failed: {e.GetType().Name}");
        }
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
