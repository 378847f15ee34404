using SparkGateway.Domain;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Whether a driver could be started here. Without an engine a gateway that has attached sessions still serves those.</summary>
internal sealed class LocalReadiness(SparkLocator locator, AttachedSessions attached, GatewayOptions options, TimeProvider time) : IReadinessCheck, IDisposable
{
    /// <summary>A look may ask a Python, which is too much for each probe.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim gate = new(1, 1);
    private Result<Engine>? latest;
    private long lookedAt;

    public string Name => "platform";

    public async ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation)
    {
        if (!options.SparkConnect.OnDemand.Enabled) return ReadinessResult.Ready("local, but on-demand sessions are off");
        if ((await LookAsync(cancellation)).TryGet(out var engine, out var missing)) return ReadinessResult.Ready(engine is Engine.Spark spark ? $"local, Spark {spark.Version}" : "local, Sail");
        var reason = $"no driver can be started: {missing.Text}";
        return attached.Current.Count > 0 ? ReadinessResult.Degraded(reason) : ReadinessResult.NotReady(reason);
    }

    private async Task<Result<Engine>> LookAsync(CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        try
        {
            var isFresh = latest is { } seen && (seen.TryGet(out var engine, out _) ? File.Exists(ProgramOf(engine)) : time.GetElapsedTime(lookedAt) < LookEvery);
            if (isFresh) return latest!.Value;
            latest = await Task.Run(locator.Find, cancellation);
            lookedAt = time.GetTimestamp();
            return latest.Value;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private static string ProgramOf(Engine engine) => engine switch
    {
        Engine.Spark spark => Path.Combine(spark.Home, "bin", "spark-submit"),
        Engine.Sail sail => sail.Program,
        _ => "",
    };
}
