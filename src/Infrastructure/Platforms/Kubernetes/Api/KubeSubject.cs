namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>What a call is about, in RBAC's words: for its error texts.</summary>
/// <param name="Verb">get, list, watch, create, patch or delete.</param>
/// <param name="Resource">With its group or its subresource: sparkapplications.sparkoperator.k8s.io, pods/log.</param>
/// <param name="Namespace">Null: all.</param>
/// <param name="Name">"" : of no single object.</param>
internal sealed record KubeSubject(string Verb, string Resource, string? Namespace, string Name = "")
{
    /// <summary>Messages about it may repeat what was sent.</summary>
    public bool IsSecret => Resource == ResourceKind.Secrets.Plural;

    public string Place => Namespace is null ? "all namespaces" : $"namespace {Namespace}";

    public override string ToString() => $"{Verb} {Resource}{(Name.Length > 0 ? $" {Name}" : "")} in {Place}";

    public static KubeSubject Of(string verb, ResourceKind kind, string? inNamespace, string name = "") => new(verb, kind.ToString(), inNamespace, name);
}
