using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>An API server whose watch and answers part ways when the test says so: a real one cannot be stopped between the two.</summary>
internal sealed class FakeKubeApi : IKubeApi
{
    private readonly Dictionary<ResourceKind, object> watches = [];

    public static KubeError Silent { get; } = new(KubeFailure.Unreachable, new GatewayError(ErrorCode.Unavailable, Blame.Cluster, "The API server does not answer."));

    public IReadOnlyList<string?> Namespaces => [null];

    /// <summary>What a live question after an object is answered.</summary>
    public Func<ResourceKind, ObjectKey, KubeResult<KubeObject?>> OnGet { get; set; } = (_, _) => KubeResult<KubeObject?>.Ok(null);

    /// <summary>What a deletion by uid is answered.</summary>
    public Func<string, KubeResult<bool>> OnDelete { get; set; } = _ => true;

    public int Gets { get; private set; }

    /// <summary>Each deletion that was asked for.</summary>
    public List<(ResourceKind Kind, ObjectKey Key, string Uid)> Deletions { get; } = [];

    /// <summary>What the question after the gateway's rights is answered.</summary>
    public Func<KubeResult<IReadOnlyList<AccessGap>>> OnReview { get; set; } = () => KubeResult<IReadOnlyList<AccessGap>>.Ok([]);

    public FakeWatch<T> WatchOf<T>(ResourceKind kind) => (FakeWatch<T>)watches[kind];

    public Task<KubeResult<KubeObject?>> GetAsync(ResourceKind kind, ObjectKey key, CancellationToken cancellation)
    {
        Gets++;
        return Task.FromResult(OnGet(kind, key));
    }

    public Task<KubeResult<bool>> DeleteAsync(ResourceKind kind, ObjectKey key, string uid, CancellationToken cancellation)
    {
        Deletions.Add((kind, key, uid));
        return Task.FromResult(OnDelete(uid));
    }

    public IKubeWatch<T> Watch<T>(ResourceKind kind, string? labels, Func<KubeObject, T> keep)
    {
        var watch = new FakeWatch<T>(keep);
        watches[kind] = watch;
        return watch;
    }

    public Task<KubeResult<string>> LogTailAsync(ObjectKey pod, string container, int lines, bool previous, CancellationToken cancellation) =>
        Task.FromResult<KubeResult<string>>("its last line\n");

    public Task<KubeResult<KubeObject>> CreateAsync(ResourceKind kind, JsonObject body, bool dryRun, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<KubeResult<KubeObject>> JsonPatchAsync(ResourceKind kind, ObjectKey key, JsonArray operations, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<KubeResult<IReadOnlyList<KubeObject>>> ListAsync(ResourceKind kind, string? inNamespace, string? labels, string? fields, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<KubeResult<IReadOnlyList<AccessGap>>> ReviewAccessAsync(IReadOnlyList<AccessRule> rules, CancellationToken cancellation) => Task.FromResult(OnReview());
}

/// <summary>A watch that shows what the test puts into it.</summary>
internal sealed class FakeWatch<T>(Func<KubeObject, T> keep) : IKubeWatch<T>
{
    private readonly WatchCache<T> cache = new();
    private int version;

    public event Action<KubeChange<T>>? Changed
    {
        add => cache.Changed += value;
        remove => cache.Changed -= value;
    }

    public bool IsSynced { get; set; } = true;

    public TimeSpan SilentFor { get; set; }

    public string? Trouble { get; set; }

    public IReadOnlyCollection<Watched<T>> Snapshot => cache.Snapshot;

    public string? TroubleIn(string inNamespace) => Trouble;

    public bool Sees(string inNamespace) => true;

    public bool TryGet(ObjectKey key, [MaybeNullWhen(false)] out Watched<T> item) => cache.TryGet(key, out item);

    public Task RunAsync(CancellationToken cancellation) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);

    public void Put(KubeObject item) => cache.Put(new Watched<T>(item.Key, item.Uid, $"{++version}", keep(item)));

    public void Remove(KubeObject item) => cache.Remove(new Watched<T>(item.Key, item.Uid, $"{++version}", keep(item)));
}
