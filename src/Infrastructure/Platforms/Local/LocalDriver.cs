using System.Diagnostics.CodeAnalysis;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>The place that one driver holds on this platform, from its claim until nothing of it is left.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without timer or wait handle holds nothing, and a late StopAsync may still cancel it.")]
internal sealed class LocalDriver(DriverSpec spec, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly long began = time.GetTimestamp();
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool stopAsked;

    public DriverSpec Spec { get; } = spec;

    public TimeSpan Elapsed => time.GetElapsedTime(began);

    public int Port { get; set; }

    /// <summary>0: it has no UI.</summary>
    public int UiPort { get; set; }

    public DriverProcess? Process { get; set; }

    public string? RuntimeId { get; set; }

    public bool IsReady { get; private set; }

    public Task? Watching { get; set; }

    public CancellationToken StopAsked => stop.Token;

    public Task Released => released.Task;

    /// <summary>False: it was asked to stop before.</summary>
    public bool TryBecomeReady()
    {
        lock (gate) return IsReady = !stopAsked;
    }

    /// <summary>A driver that still starts is ended by its starter, a ready one from here.</summary>
    public async Task AskToStopAsync()
    {
        lock (gate) stopAsked = true;
        await stop.CancelAsync();
        if (IsReady && Process is { } process) await process.StopAsync();
    }

    public void MarkReleased() => released.TrySetResult();
}
