using System.Buffers;
using System.Globalization;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Watching;

/// <summary>
/// One loop of list and watch, over one namespace or all. 1. List, and make the cache equal to it. 2. Watch from the list's
/// version. 3. A watch that ends normally goes on from the last version seen; one whose version is forgotten, or that said
/// nothing at all, lists anew. 4. Failures back off; a namespace that was missing or forbidden from the start rests longer.
/// </summary>
internal sealed class NamespaceWatch<T>(WatchScope scope, string? inNamespace, Func<KubeObject, T> keep, WatchCache<T> cache, WatchTools tools)
{
    /// <summary>A watch that ends sooner, without a word, did not end by its timeout.</summary>
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(1);

    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 128 };

    private readonly Backoff backoff = new(tools.Limits, tools.Time);
    private readonly KubeSubject watching = KubeSubject.Of("watch", scope.Kind, inNamespace);

    /// <summary>Where the next watch begins; null: a list comes first.</summary>
    private string? version;

    /// <summary>A watch gave at least one line since the last list: its version is alive.</summary>
    private bool isProven;

    private long heardAt;

    /// <summary>It was listed at least once.</summary>
    public bool HasListed { get; private set; }

    /// <summary>The namespace is missing or forbidden.</summary>
    public bool IsParked { get; private set; }

    /// <summary>Why it is behind; null: it is not.</summary>
    public string? Trouble { get; private set; }

    public TimeSpan SilentFor => HasListed ? tools.Time.GetElapsedTime(Volatile.Read(ref heardAt)) : TimeSpan.MaxValue;

    public string? Namespace => inNamespace;

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var end = version is null ? await ListAsync(cancellation) : await WatchAsync(version, cancellation);
            if (end.IsRelist)
            {
                tools.LogRelisted(watching, end.Why);
                version = null;
            }

            if (end.Wait is not { } wait) continue;
            if (Trouble != end.Why) tools.LogFailed(watching, wait.TotalSeconds, end.Why);
            Trouble = end.Why;
            await Task.Delay(wait, tools.Time, cancellation);
        }
    }

    private async Task<End> ListAsync(CancellationToken cancellation)
    {
        var result = await tools.Lists.ReadAsync(scope.Kind, inNamespace, scope.Labels, null, Keep, cancellation);
        if (!result.TryGet(out var list, out var error)) return Failed(error);
        cache.Replace(inNamespace, list.Items);
        (version, isProven) = (list.ResourceVersion, false);
        Heard();
        if (!HasListed || Trouble is not null) tools.LogSynced(watching, list.Items.Count);
        (HasListed, IsParked, Trouble) = (true, false, null);
        return End.Normal;
    }

    private async Task<End> WatchAsync(string from, CancellationToken cancellation)
    {
        var begun = tools.Time.GetTimestamp();
        var opened = await tools.Transport.OpenAsync(Request(from), cancellation);
        if (!opened.TryGet(out var response, out var error)) return Failed(error);
        using (response)
        {
            try
            {
                return await ReadAsync(response, begun, cancellation);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && WhyBroken(e) is { } why)
            {
                return Broken(why);
            }
        }
    }

    private async Task<End> ReadAsync(HttpResponseMessage response, long begun, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(tools.Limits.WatchSilence, tools.Time);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(bound.Token);
        await using var lines = new WatchLines(body, tools.Limits.MaxLineBytes);
        Recovered();
        var count = 0;
        try
        {
            while (await lines.NextAsync(bound.Token) is { } line)
            {
                count++;
                silence.CancelAfter(tools.Limits.WatchSilence);
                if (Apply(line) is { } end) return end;
            }
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Silent(count, $"it said nothing for {tools.Limits.WatchSilence.TotalSeconds:0.#} s");
        }

        if (count > 0) return End.Normal;
        return tools.Time.GetElapsedTime(begun) < ShortestWatch ? Broken("it ended at once, without a word") : Silent(count, "it ended without a word");
    }

    /// <summary>One event. Null: the watch goes on.</summary>
    private End? Apply(in ReadOnlySequence<byte> line)
    {
        if (line.IsEmpty) return null;
        using var document = JsonDocument.Parse(line, Depth);
        var root = document.RootElement;
        if (!root.TryGetProperty("object", out var json) || !root.TryGetProperty("type", out var type)) throw new InvalidDataException("a line is no event");
        if (type.ValueEquals("ERROR")) return Failed(KubeErrors.Of(StatusOf(json), watching), isInStream: true);
        if (!KubeObject.TryOf(json, out var seen)) throw new InvalidDataException("an event has no object");

        var isGone = type.ValueEquals("DELETED");
        if ((isGone || type.ValueEquals("ADDED") || type.ValueEquals("MODIFIED")) && Keep(seen) is { } item)
        {
            if (isGone) cache.Remove(item);
            else cache.Put(item);
        }

        if (seen.ResourceVersion.Length > 0) version = seen.ResourceVersion;
        isProven = true;
        Heard();
        return null;
    }

    private End Failed(KubeError error, bool isInStream = false)
    {
        var why = error.Error.Text;
        switch (error.Failure)
        {
            // One forgotten version is the rule after a long silence; two in a row are a server that does not keep what it lists.
            case KubeFailure.Expired:
                return isProven || version is null ? End.Relist(why) : End.Relist(why) with { Wait = backoff.Next() };
            case KubeFailure.Forbidden or KubeFailure.NotFound or KubeFailure.NamespaceMissing:
                IsParked = true;

                // An API server that has just started knows neither its custom kinds nor its roles for a moment.
                if (HasListed) return new End(backoff.Next(), true, why);
                return new End(tools.Limits.WatchPark * (0.8 + 0.4 * Random.Shared.NextDouble()), true, why);
            case KubeFailure.Overload or KubeFailure.Unreachable or KubeFailure.Unauthorized:
                return new End(backoff.Next(error.RetryAfter), false, why);
            default:
                return new End(backoff.Next(error.RetryAfter), isInStream, why);
        }
    }

    /// <summary>The version is as good as it was: the next watch begins from it.</summary>
    private End Broken(string why) => new(backoff.Next(), false, KubeErrors.Unreachable(why, watching).Error.Text);

    /// <summary>A server tells us where it is each minute and at the end. One that never does may wait for a version that it will never reach: it was made anew from an older state.</summary>
    private End Silent(int lines, string why) => lines == 0 ? End.Relist(why) with { Wait = isProven ? null : backoff.Next() } : Broken(why);

    private void Heard() => Volatile.Write(ref heardAt, tools.Time.GetTimestamp());

    private void Recovered()
    {
        if (Trouble is null) return;
        Trouble = null;
        tools.LogSynced(watching, cache.Snapshot.Count);
    }

    /// <summary>Null: it is not what its kind promises. One such object, of whomever, must not end the watch of all.</summary>
    private Watched<T>? Keep(KubeObject seen)
    {
        try
        {
            return new(seen.Key, seen.Uid, seen.ResourceVersion, keep(seen));
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            tools.LogUnreadable(seen.Key, e.Message);
            return null;
        }
    }

    private KubeRequest Request(string from)
    {
        // Random, so that watches that began together do not end together.
        var seconds = (int)(tools.Limits.Options.WatchTimeoutSeconds * (1 + Random.Shared.NextDouble()));
        var query = string.Create(CultureInfo.InvariantCulture, $"?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}");
        var path = scope.Kind.CollectionPath(inNamespace) + query + KubeLists.Selector("resourceVersion", from) + KubeLists.Selector("labelSelector", scope.Labels);
        return new KubeRequest(HttpMethod.Get, path, watching, MayRepeat: true);
    }

    private string? WhyBroken(Exception e) => e switch
    {
        InvalidDataException => e.Message,
        JsonException => "a line of its answer is no JSON",
        _ => tools.Transport.WhyBroken(e),
    };

    private static V1Status StatusOf(JsonElement json)
    {
        try
        {
            if (KubernetesJson.Deserialize<V1Status>(json) is { } status) return status;
        }
        catch (JsonException)
        {
            // Told as an unknown failure.
        }

        return new V1Status { Code = 500, Message = "the watch broke off without a reason" };
    }

    /// <summary>How one list or watch ended.</summary>
    /// <param name="Wait">Before the next; null: at once, nothing is wrong.</param>
    /// <param name="IsRelist">The next is a list.</param>
    private readonly record struct End(TimeSpan? Wait, bool IsRelist, string Why)
    {
        public static readonly End Normal = new(null, false, "");

        public static End Relist(string why) => new(null, true, why);
    }
}
