using System.Globalization;
using System.Text.Json;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>A whole collection as it was at one version.</summary>
internal sealed record KubeList<T>(string ResourceVersion, IReadOnlyList<T> Items);

/// <summary>Reads collections page by page.</summary>
internal sealed class KubeLists(KubeTransport transport, KubeLimits limits)
{
    /// <summary>Pages that expire each time before they are through: the server forgets faster than we read.</summary>
    private const int MostRestarts = 3;

    /// <param name="keep">Called with each object while its document lives; null: pass it over.</param>
    public async Task<KubeResult<KubeList<T>>> ReadAsync<T>(ResourceKind kind, string? inNamespace, string? labels, string? fields, Func<KubeObject, T?> keep, CancellationToken cancellation)
        where T : class
    {
        var subject = KubeSubject.Of("list", kind, inNamespace);
        var first = $"{kind.CollectionPath(inNamespace)}?limit={limits.Options.ListPageItems.ToString(CultureInfo.InvariantCulture)}{Selector("labelSelector", labels)}{Selector("fieldSelector", fields)}";
        var items = new List<T>();
        var next = "";
        for (var restarts = 0; ;)
        {
            var request = new KubeRequest(HttpMethod.Get, first + Selector("continue", next), subject, MayRepeat: true);
            var answer = await transport.SendAsync(request, (body, bound) => ReadPageAsync(body, items, keep, subject, bound), cancellation);
            if (!answer.TryGet(out var page, out var error))
            {
                if (error.Failure != KubeFailure.Expired || next.Length == 0 || ++restarts > MostRestarts) return error;
                items.Clear();
                next = "";
                continue;
            }

            if (page.Continue.Length == 0) return new KubeList<T>(page.ResourceVersion, items);
            next = page.Continue;
        }
    }

    /// <summary>A further parameter of a query; nothing if it is null or empty.</summary>
    public static string Selector(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private async Task<KubeResult<Page>> ReadPageAsync<T>(Stream body, List<T> items, Func<KubeObject, T?> keep, KubeSubject subject, CancellationToken cancellation)
        where T : class
    {
        if (!(await KubeBodies.DocumentAsync(body, limits.MaxResponseBytes, subject, cancellation)).TryGet(out var document, out var error)) return error;
        using (document)
        {
            if (!KubeObject.TryOf(document.RootElement, out var list) || !list.Json.TryGetProperty("items", out var entries)) return KubeErrors.Unreachable("it answered with something that is no list", subject);

            // A collection of nothing is "items": null from some servers.
            if (entries.ValueKind != JsonValueKind.Array) return new Page(list.ResourceVersion, "");
            foreach (var entry in entries.EnumerateArray())
                if (KubeObject.TryOf(entry, out var item) && keep(item) is { } kept) items.Add(kept);
            return new Page(list.ResourceVersion, list.Continue);
        }
    }

    private sealed record Page(string ResourceVersion, string Continue);
}
