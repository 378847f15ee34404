using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>An object as the API server sent it, with the parts of its metadata that everybody reads.</summary>
internal sealed record KubeObject(ObjectKey Key, string Uid, string ResourceVersion, JsonElement Json)
{
    private JsonElement Metadata => Json.GetProperty("metadata");

    public DateTimeOffset? CreatedAt => Time("creationTimestamp");

    /// <summary>Set as soon as somebody deletes the object: it may live on until its finalizers and its grace time are through.</summary>
    public DateTimeOffset? DeletionTimestamp => Time("deletionTimestamp");

    /// <summary>Of a list: where its next page begins; "" : this is the last.</summary>
    public string Continue => Text(Metadata, "continue");

    /// <returns>False: it has no metadata.</returns>
    public static bool TryOf(JsonElement json, [NotNullWhen(true)] out KubeObject? made)
    {
        made = null;
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object) return false;
        made = new(
            new ObjectKey(Text(metadata, "namespace"), Text(metadata, "name")),
            Text(metadata, "uid"),
            Text(metadata, "resourceVersion"),
            json);
        return true;
    }

    /// <summary>A label's value; null: it is not set.</summary>
    public string? Label(string name) => Entry("labels", name);

    /// <summary>An annotation's value; null: it is not set.</summary>
    public string? Annotation(string name) => Entry("annotations", name);

    /// <summary>The uid of its owner of this kind; null: it has none.</summary>
    public string? OwnerUid(ResourceKind kind)
    {
        if (!Metadata.TryGetProperty("ownerReferences", out var owners) || owners.ValueKind != JsonValueKind.Array) return null;
        foreach (var owner in owners.EnumerateArray())
        {
            // By group: a kind keeps its name and its owner when the version it is read in changes.
            var apiVersion = Text(owner, "apiVersion");
            var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
            var group = slash < 0 ? "" : apiVersion[..slash];
            if (group == kind.Group && Text(owner, "kind") == kind.Kind) return Text(owner, "uid");
        }

        return null;
    }

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private string? Entry(string map, string name) =>
        Metadata.TryGetProperty(map, out var entries) && entries.ValueKind == JsonValueKind.Object
        && entries.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private DateTimeOffset? Time(string name) =>
        DateTimeOffset.TryParse(Text(Metadata, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
