using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace SparkGateway.Features;

/// <summary>Work that outlives the call that began it: known until it is done, so that a stop waits for it and no failure is lost.</summary>
public sealed partial class TrackedTasks(ILogger<TrackedTasks> logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Task, string> running = new();
    private readonly CancellationTokenSource stopping = new();
    private int disposed;

    public int Count => running.Count;

    /// <summary>Starts on another stack than the caller's, who may hold a gate.</summary>
    public void Start(string name, Func<CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var task = GuardAsync(name, work);
        running[task] = name;
        _ = task.ContinueWith(static (done, set) => ((ConcurrentDictionary<Task, string>)set!).TryRemove(done, out _),
            running, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Tells all work to stop and waits for it.</summary>
    public async Task StopAsync()
    {
        if (Volatile.Read(ref disposed) != 0) return;
        await stopping.CancelAsync();
        while (!running.IsEmpty) await Task.WhenAll(running.Keys);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (Interlocked.Exchange(ref disposed, 1) == 0) stopping.Dispose();
    }

    private async Task GuardAsync(string name, Func<CancellationToken, Task> work)
    {
        var stop = stopping.Token;
        await Task.Yield();
        try
        {
            await work(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception bug)
        {
            LogBug(logger, bug, name);
        }
    }

    [LoggerMessage(EventId = 2100, Level = LogLevel.Error, Message = "Background work {Work} failed: a bug of the gateway.")]
    private static partial void LogBug(ILogger logger, Exception bug, string work);
}
