using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>A watch that runs, and all that it told. Its objects are kept as NAME=value of the label "n".</summary>
internal sealed class RunningWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<string> changes = [];
    private readonly Task running;
    private Func<bool>? condition;
    private TaskCompletionSource met = new();

    public RunningWatch(KubeHarness gateway, string? labels = null)
    {
        Watch = gateway.Api.Watch(Applications.Kind, labels, seen => seen.Label("n") ?? "");
        Watch.Changed += Note;
        running = Watch.RunAsync(stop.Token);
    }

    public IKubeWatch<string> Watch { get; }

    public IReadOnlyList<string> Changes
    {
        get
        {
            lock (gate) return [.. changes];
        }
    }

    public IEnumerable<string> Names => Watch.Snapshot.Select(item => item.Key.Name).Order(StringComparer.Ordinal);

    /// <summary>Waits until that holds: looks at once, and after each change.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        lock (gate)
        {
            if (holds()) return;
            (condition, met) = (holds, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        await met.Task.WaitAsync(LocalHarness.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }

    private void Note(KubeChange<string> change)
    {
        lock (gate)
        {
            changes.Add($"{change.Kind} {change.Item.Key.Name}={change.Item.Value}");
            if (condition?.Invoke() == true) met.TrySetResult();
        }
    }
}
