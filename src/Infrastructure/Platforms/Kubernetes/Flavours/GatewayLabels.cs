namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>The names under which an object says what it is to us.</summary>
internal static class GatewayLabels
{
    public const string Prefix = "spark-gateway/";
    public const string ManagedBy = "app.kubernetes.io/managed-by";
    public const string Manager = "spark-gateway";

    /// <summary>The gateway that it belongs to; objects of another are never touched.</summary>
    public const string Instance = Prefix + "instance";

    public const string Kind = Prefix + "kind";
    public const string SessionKind = "session";

    /// <summary>The session's row id.</summary>
    public const string Session = Prefix + "session";

    public const string Team = Prefix + "team";
    public const string Environment = Prefix + "environment";

    /// <summary>"true": somebody else's application that clients may name.</summary>
    public const string Attach = Prefix + "attach";

    /// <summary>An annotation, since a user's name need not be a label.</summary>
    public const string User = Prefix + "user";

    /// <summary>An annotation: which profile it was made of.</summary>
    public const string Profile = Prefix + "profile";

    /// <summary>An annotation: equal hashes are the same request.</summary>
    public const string RequestHash = Prefix + "request-hash";
}
