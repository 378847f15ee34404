using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>
/// The API server. Each call takes kubernetes.request_timeout_seconds at most, waits its turn under the rate limit, repeats
/// what is safe to repeat, and gives a failure as a value whose text a user can act on.
/// </summary>
internal interface IKubeApi
{
    /// <summary>The allowed namespaces, one null for all of them: where watches look and access is reviewed.</summary>
    IReadOnlyList<string?> Namespaces { get; }

    /// <summary>Makes the object in the namespace of its metadata. Unknown fields are refused. A failure of <see cref="KubeFailure.Unreachable"/> may have made it.</summary>
    Task<KubeResult<KubeObject>> CreateAsync(ResourceKind kind, JsonObject body, bool dryRun, CancellationToken cancellation);

    /// <returns>Null: there is no such object.</returns>
    Task<KubeResult<KubeObject?>> GetAsync(ResourceKind kind, ObjectKey key, CancellationToken cancellation);

    /// <summary>Deletes the object with this uid and, in the background, what it owns.</summary>
    /// <returns>False: it was gone already, or another object has its name now.</returns>
    Task<KubeResult<bool>> DeleteAsync(ResourceKind kind, ObjectKey key, string uid, CancellationToken cancellation);

    /// <summary>A failed test operation, like a lost race, is a <see cref="KubeFailure.Conflict"/>.</summary>
    Task<KubeResult<KubeObject>> JsonPatchAsync(ResourceKind kind, ObjectKey key, JsonArray operations, CancellationToken cancellation);

    /// <param name="inNamespace">Null: all namespaces.</param>
    /// <param name="labels">A label selector; null: none.</param>
    /// <param name="fields">A field selector; null: none.</param>
    Task<KubeResult<IReadOnlyList<KubeObject>>> ListAsync(ResourceKind kind, string? inNamespace, string? labels, string? fields, CancellationToken cancellation);

    /// <summary>The last lines of a container's log, of its run before this one if <paramref name="previous"/>; long ones from their end.</summary>
    Task<KubeResult<string>> LogTailAsync(ObjectKey pod, string container, int lines, bool previous, CancellationToken cancellation);

    /// <summary>Asks for each rule, in each of <see cref="Namespaces"/>, whether the gateway's account has that right.</summary>
    Task<KubeResult<IReadOnlyList<AccessGap>>> ReviewAccessAsync(IReadOnlyList<AccessRule> rules, CancellationToken cancellation);

    /// <summary>A watch over the allowed namespaces. It does nothing before its RunAsync.</summary>
    /// <param name="labels">A label selector; null: none.</param>
    /// <param name="keep">What the cache holds of an object. The document is gone afterwards: copy what is kept.</param>
    IKubeWatch<T> Watch<T>(ResourceKind kind, string? labels, Func<KubeObject, T> keep);
}

/// <summary>A right that the gateway needs. <paramref name="Resource"/>: with its subresource, such as pods/log.</summary>
internal sealed record AccessRule(string Group, string Resource, params string[] Verbs);

/// <summary>A right that is missing. <paramref name="Text"/>: which one, where, and the rule to add.</summary>
internal sealed record AccessGap(string Group, string Resource, string Verb, string? Namespace, string Text);
