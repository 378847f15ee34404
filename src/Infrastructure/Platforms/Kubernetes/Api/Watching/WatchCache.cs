using System.Collections.Concurrent;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

/// <summary>The objects of a watch, over all its namespaces. Each namespace has one writer; readers take no lock.</summary>
internal sealed class WatchCache<T>
{
    private readonly ConcurrentDictionary<ObjectKey, Watched<T>> items = new();
    private readonly Lock announcing = new();

    public event Action<KubeChange<T>>? Changed;

    public IReadOnlyCollection<Watched<T>> Snapshot => [.. items.Values];

    public bool TryGet(ObjectKey key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out Watched<T> item) => items.TryGetValue(key, out item);

    public void Put(Watched<T> item)
    {
        if (items.TryGetValue(item.Key, out var known) && known.Uid != item.Uid) Remove(known);
        var isKnown = items.TryGetValue(item.Key, out known);
        if (isKnown && known!.ResourceVersion == item.ResourceVersion) return;
        items[item.Key] = item;
        Announce(isKnown ? KubeChangeKind.Modified : KubeChangeKind.Added, item);
    }

    /// <param name="last">As it was when it went; of an object that we never saw, nothing is said.</param>
    public void Remove(Watched<T> last)
    {
        if (items.TryGetValue(last.Key, out var known) && known.Uid == last.Uid && items.TryRemove(last.Key, out _)) Announce(KubeChangeKind.Deleted, last);
    }

    /// <summary>Makes the objects of a namespace, or all, those of a list: what is not in it has vanished meanwhile.</summary>
    public void Replace(string? inNamespace, IReadOnlyList<Watched<T>> listed)
    {
        var uids = listed.Select(item => item.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, known) in items)
            if ((inNamespace is null || key.Namespace == inNamespace) && !uids.Contains(known.Uid)) Remove(known);
        foreach (var item in listed) Put(item);
    }

    private void Announce(KubeChangeKind kind, Watched<T> item)
    {
        lock (announcing) Changed?.Invoke(new KubeChange<T>(kind, item));
    }
}
