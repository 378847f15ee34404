using System.Diagnostics.CodeAnalysis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

/// <summary>A watch over the allowed namespaces: one loop for each, into one cache.</summary>
internal sealed class ResourceWatch<T>(WatchScope scope, IReadOnlyList<string?> namespaces, Func<KubeObject, T> keep, WatchTools tools) : IKubeWatch<T>
{
    private readonly WatchCache<T> cache = new();
    private NamespaceWatch<T>[] loops = [];

    public event Action<KubeChange<T>>? Changed
    {
        add => cache.Changed += value;
        remove => cache.Changed -= value;
    }

    public bool IsSynced => loops.Any(loop => loop.HasListed) && loops.All(loop => loop.HasListed || loop.IsParked);

    public TimeSpan SilentFor => loops.Where(loop => !loop.IsParked).Select(loop => loop.SilentFor).DefaultIfEmpty(TimeSpan.MaxValue).Max();

    public string? Trouble => loops.Select(loop => loop.Trouble).FirstOrDefault(trouble => trouble is not null);

    public IReadOnlyCollection<Watched<T>> Snapshot => cache.Snapshot;

    public string? TroubleIn(string inNamespace) => Of(inNamespace).Select(loop => loop.Trouble).FirstOrDefault(trouble => trouble is not null);

    public bool Sees(string inNamespace) => Of(inNamespace).Any(loop => loop is { HasListed: true, IsParked: false });

    public bool TryGet(ObjectKey key, [MaybeNullWhen(false)] out Watched<T> item) => cache.TryGet(key, out item);

    private IEnumerable<NamespaceWatch<T>> Of(string inNamespace) => loops.Where(loop => loop.Namespace is null || loop.Namespace == inNamespace);

    public async Task RunAsync(CancellationToken cancellation)
    {
        loops = [.. namespaces.Select(name => new NamespaceWatch<T>(scope, name, keep, cache, tools))];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = loops.Select(loop => loop.RunAsync(stop.Token)).ToList();
        try
        {
            // A loop ends by cancellation or by a bug; a bug ends the others too.
            await await Task.WhenAny(running);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The gateway stops.
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running.Select(task => task.ContinueWith(static _ => { }, TaskScheduler.Default)));
        }
    }
}
