namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>A kind of object and where it is served. <paramref name="Group"/>: "" for the core group.</summary>
/// <param name="Plural">As in the path and in RBAC rules: sparkapplications.</param>
/// <param name="Kind">As in the object: SparkApplication.</param>
internal sealed record ResourceKind(string Group, string Version, string Plural, string Kind)
{
    public static readonly ResourceKind Pods = new("", "v1", "pods", "Pod");
    public static readonly ResourceKind Secrets = new("", "v1", "secrets", "Secret");
    public static readonly ResourceKind Events = new("", "v1", "events", "Event");

    /// <summary>As in an object's apiVersion.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>Path of the collection, of all namespaces if <paramref name="inNamespace"/> is null, without a slash in front.</summary>
    public string CollectionPath(string? inNamespace)
    {
        var root = Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
        return inNamespace is null ? $"{root}/{Plural}" : $"{root}/namespaces/{Segment(inNamespace)}/{Plural}";
    }

    public string ObjectPath(ObjectKey key) => $"{CollectionPath(key.Namespace)}/{Segment(key.Name)}";

    /// <summary>One segment of a path. An empty name would mean the whole collection, dots another one: whoever passes them has a bug.</summary>
    private static string Segment(string name) =>
        name is "" or "." or ".." ? throw new ArgumentException($"'{name}' is no name of an object.", nameof(name)) : Uri.EscapeDataString(name);
}

internal readonly record struct ObjectKey(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}
