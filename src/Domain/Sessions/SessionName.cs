using System.Text.RegularExpressions;

namespace SparkGateway.Domain.Sessions;

/// <summary>The name of a session: a namespace and, in it, a name (on Kubernetes the SparkApplication's).</summary>
public readonly partial record struct SessionName(string Namespace, string Name)
{
    /// <summary>RFC 1123 label: what Kubernetes accepts for a namespace, and we for teams and environments.</summary>
    public const string LabelRule = "1 to 63 lower-case letters, digits and '-', starting and ending with a letter or digit";

    /// <summary>RFC 1123 subdomain: what Kubernetes accepts for an object name.</summary>
    public const string NameRule = "1 to 253 lower-case letters, digits, '-' and '.', starting and ending with a letter or digit";

    public static bool IsLabel(string text) => text.Length is > 0 and <= 63 && Label().IsMatch(text);

    public static bool IsName(string text) => text.Length is > 0 and <= 253 && Subdomain().IsMatch(text);

    public override string ToString() => $"{Namespace}/{Name}";

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();
}
