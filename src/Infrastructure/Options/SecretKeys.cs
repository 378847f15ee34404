using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Which values must never be shown. Secrets belong into files, but people put them elsewhere, into spark_conf above all.</summary>
internal static partial class SecretKeys
{
    public const string Mask = "***";

    /// <summary>Keys that name the place of a secret (*_file, *_path) may be shown; those that could hold one may not.</summary>
    public static bool IsSecret(string path) =>
        Secret().IsMatch(path) && !path.EndsWith("_file", StringComparison.Ordinal) && !path.EndsWith("_path", StringComparison.Ordinal);

    /// <summary>The value as it may be shown in an error or a listing.</summary>
    public static string Show(string path, string value) =>
        IsSecret(path) && value.Length > 0 ? Mask : UserInfo().Replace(value, $"${{scheme}}{Mask}@");

    [GeneratedRegex("token|passw(or)?d|secret|credential|access[._-]?key|api[._-]?key|private[._-]?key", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Secret();

    [GeneratedRegex("(?<scheme>[a-z][a-z0-9+.-]*://)[^/@\\s]+@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();
}
