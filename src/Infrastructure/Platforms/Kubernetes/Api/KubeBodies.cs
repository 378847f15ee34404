using System.Text;
using System.Text.Json;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>Reads the bodies of answers, none beyond its bound.</summary>
internal static class KubeBodies
{
    private const int FirstBytes = 16_384;

    /// <summary>Objects nest some twenty levels deep, schemas a few more.</summary>
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 128 };

    /// <summary>A document; the caller disposes of it.</summary>
    public static async Task<KubeResult<JsonDocument>> DocumentAsync(Stream body, int maxBytes, KubeSubject subject, CancellationToken cancellation)
    {
        // Not pooled: the document reads from its buffer.
        var bytes = new byte[FirstBytes];
        var length = 0;
        int read;
        while ((read = await body.ReadAsync(bytes.AsMemory(length), cancellation)) > 0)
        {
            length += read;
            if (length > maxBytes) return KubeErrors.TooLarge(maxBytes, subject);
            if (length == bytes.Length) Array.Resize(ref bytes, 2 * length);
        }

        try
        {
            var document = JsonDocument.Parse(bytes.AsMemory(0, length), Depth);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            // A page of a proxy, or half an answer.
        }

        return KubeErrors.Unreachable("what answered is no API server", subject);
    }

    /// <summary>One object.</summary>
    public static async Task<KubeResult<KubeObject>> ObjectAsync(Stream body, int maxBytes, KubeSubject subject, CancellationToken cancellation)
    {
        if (!(await DocumentAsync(body, maxBytes, subject, cancellation)).TryGet(out var document, out var error)) return error;
        using (document)
        {
            return KubeObject.TryOf(document.RootElement.Clone(), out var made) ? made : KubeErrors.Unreachable("it answered with something that is no object", subject);
        }
    }

    /// <summary>The last bytes of a text, whole characters.</summary>
    public static async Task<KubeResult<string>> TailAsync(Stream body, int maxBytes, CancellationToken cancellation)
    {
        var kept = new byte[2 * maxBytes];
        var length = 0;
        int read;
        while ((read = await body.ReadAsync(kept.AsMemory(length), cancellation)) > 0)
        {
            length += read;
            if (length < kept.Length) continue;
            kept.AsSpan(maxBytes, maxBytes).CopyTo(kept);
            length = maxBytes;
        }

        var start = Math.Max(0, length - maxBytes);
        while (start > 0 && start < length && (kept[start] & 0xC0) == 0x80) start++;
        return Encoding.UTF8.GetString(kept, start, length - start);
    }
}
