using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Platforms;

/// <summary>Takes out of a log line what nobody should read there: the driver's own token, and values that are named as secrets.</summary>
internal sealed partial class SecretMask(string? token)
{
    private const string Hidden = "***";

    /// <summary>For the log file: the driver's text as it is, but for its token.</summary>
    public string HideToken(string line) => string.IsNullOrEmpty(token) ? line : line.Replace(token, Hidden, StringComparison.Ordinal);

    /// <summary>For what leaves the machine in an error.</summary>
    public string HideAll(string line) => Bearer().Replace(Named().Replace(HideToken(line), "$1" + Hidden), "$1" + Hidden);

    [GeneratedRegex("""((?:password|passwd|secret|token|credential|access[._-]?key)[\w.-]*["']?\s*[=:]\s*["']?)[^\s"',;&]+""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    [GeneratedRegex(@"(bearer\s+)\S+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Bearer();
}
