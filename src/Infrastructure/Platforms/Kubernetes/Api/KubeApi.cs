using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

internal sealed class KubeApi(KubeTransport transport, KubeLimits limits, TimeProvider time, ILoggerFactory logs) : IKubeApi
{
    private const string JsonPatch = "application/json-patch+json";

    private readonly KubeLists lists = new(transport, limits);

    public IReadOnlyList<string?> Namespaces { get; } = limits.Options.Namespaces.Count == 0 ? [null] : [.. limits.Options.Namespaces.Distinct()];

    public Task<KubeResult<KubeObject>> CreateAsync(ResourceKind kind, JsonObject body, bool dryRun, CancellationToken cancellation)
    {
        var metadata = body["metadata"];
        var key = new ObjectKey(metadata?["namespace"]?.GetValue<string>() ?? "", metadata?["name"]?.GetValue<string>() ?? "");
        var path = $"{kind.CollectionPath(key.Namespace)}?fieldManager=spark-gateway&fieldValidation=Strict{(dryRun ? "&dryRun=All" : "")}";
        return ObjectOf(new KubeRequest(HttpMethod.Post, path, KubeSubject.Of("create", kind, key.Namespace, key.Name), MayRepeat: dryRun) { Body = body }, cancellation);
    }

    public async Task<KubeResult<KubeObject?>> GetAsync(ResourceKind kind, ObjectKey key, CancellationToken cancellation)
    {
        var result = await ObjectOf(new KubeRequest(HttpMethod.Get, kind.ObjectPath(key), KubeSubject.Of("get", kind, key.Namespace, key.Name), MayRepeat: true), cancellation);
        if (result.Is(KubeFailure.NotFound) || result.Is(KubeFailure.NamespaceMissing)) return KubeResult<KubeObject?>.Ok(null);
        return result.TryGet(out var found, out var error) ? found : error;
    }

    public async Task<KubeResult<bool>> DeleteAsync(ResourceKind kind, ObjectKey key, string uid, CancellationToken cancellation)
    {
        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = "Background",
            ["preconditions"] = new JsonObject { ["uid"] = uid },
        };
        var request = new KubeRequest(HttpMethod.Delete, kind.ObjectPath(key), KubeSubject.Of("delete", kind, key.Namespace, key.Name), MayRepeat: true) { Body = options };
        var result = await transport.SendAsync<bool>(request, static (_, _) => Task.FromResult<KubeResult<bool>>(true), cancellation);
        return result.Error?.Failure is KubeFailure.NotFound or KubeFailure.NamespaceMissing or KubeFailure.Conflict ? false : result;
    }

    public Task<KubeResult<KubeObject>> JsonPatchAsync(ResourceKind kind, ObjectKey key, JsonArray operations, CancellationToken cancellation)
    {
        var subject = KubeSubject.Of("patch", kind, key.Namespace, key.Name);
        var request = new KubeRequest(HttpMethod.Patch, $"{kind.ObjectPath(key)}?fieldManager=spark-gateway&fieldValidation=Strict", subject, MayRepeat: false) { Body = operations, ContentType = JsonPatch };
        return ObjectOf(request, cancellation);
    }

    public async Task<KubeResult<IReadOnlyList<KubeObject>>> ListAsync(ResourceKind kind, string? inNamespace, string? labels, string? fields, CancellationToken cancellation)
    {
        var listed = await lists.ReadAsync(kind, inNamespace, labels, fields, static item => item with { Json = item.Json.Clone() }, cancellation);
        return listed.TryGet(out var list, out var error) ? KubeResult<IReadOnlyList<KubeObject>>.Ok(list.Items) : error;
    }

    public Task<KubeResult<string>> LogTailAsync(ObjectKey pod, string container, int lines, bool previous, CancellationToken cancellation)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{ResourceKind.Pods.ObjectPath(pod)}/log?container={Uri.EscapeDataString(container)}&tailLines={lines}{(previous ? "&previous=true" : "")}");
        var request = new KubeRequest(HttpMethod.Get, path, new KubeSubject("get", "pods/log", pod.Namespace, pod.Name), MayRepeat: true);
        return transport.SendAsync(request, (body, bound) => KubeBodies.TailAsync(body, limits.LogTailBytes, bound), cancellation);
    }

    public Task<KubeResult<IReadOnlyList<AccessGap>>> ReviewAccessAsync(IReadOnlyList<AccessRule> rules, CancellationToken cancellation) =>
        new AccessReview(transport, limits, Namespaces).FindGapsAsync(rules, cancellation);

    public IKubeWatch<T> Watch<T>(ResourceKind kind, string? labels, Func<KubeObject, T> keep) =>
        new ResourceWatch<T>(new WatchScope(kind, labels), Namespaces, keep, new WatchTools(transport, lists, limits, time, logs.CreateLogger<WatchTools>()));

    private Task<KubeResult<KubeObject>> ObjectOf(KubeRequest request, CancellationToken cancellation) =>
        transport.SendAsync(request, (body, bound) => KubeBodies.ObjectAsync(body, limits.MaxResponseBytes, request.Subject, bound), cancellation);
}
