using System.Diagnostics.CodeAnalysis;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

internal enum KubeChangeKind
{
    Added,
    Modified,
    Deleted,
}

/// <summary>An object of a watch: its identity, and what the watch keeps of it.</summary>
internal sealed record Watched<T>(ObjectKey Key, string Uid, string ResourceVersion, T Value);

/// <param name="Item">Of a deletion: the object as it was last seen.</param>
internal readonly record struct KubeChange<T>(KubeChangeKind Kind, Watched<T> Item);

/// <summary>All objects of one kind in the allowed namespaces, kept up to date.</summary>
internal interface IKubeWatch<T>
{
    /// <summary>
    /// Every change, one at a time and in the order of each namespace, after it is in <see cref="Snapshot"/>. A name that came
    /// back with another uid is a deletion and an addition. Subscribe before RunAsync; handlers are short and do not throw.
    /// </summary>
    event Action<KubeChange<T>>? Changed;

    /// <summary>
    /// Each namespace was listed once, but for those that are missing or forbidden. Stays true: what is known then grows old, it is
    /// not forgotten. Before an object counts as gone because it is not here, ask <see cref="Sees"/>.
    /// </summary>
    bool IsSynced { get; }

    /// <summary>How old the knowledge may be: for how long the quietest namespace has said nothing. MaxValue: one has not been listed yet.</summary>
    TimeSpan SilentFor { get; }

    /// <summary>Why the watch is behind, for operators; null: it is not.</summary>
    string? Trouble { get; }

    /// <summary>The same of one namespace.</summary>
    string? TroubleIn(string inNamespace);

    IReadOnlyCollection<Watched<T>> Snapshot { get; }

    /// <summary>The namespace was listed, and is neither missing nor forbidden now.</summary>
    bool Sees(string inNamespace);

    bool TryGet(ObjectKey key, [MaybeNullWhen(false)] out Watched<T> item);

    /// <summary>Watches until it is cancelled; ends in no other way.</summary>
    Task RunAsync(CancellationToken cancellation);
}
