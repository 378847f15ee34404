using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>What one value may be, in words and as a test. The words stand in errors and, checked by a test, in gateway.yml.</summary>
internal sealed partial record ValueRule(string Allowed, Func<object, bool> Holds)
{
    public static readonly ValueRule AnyText = new("any text", _ => true);

    public static readonly ValueRule FlagValue = new("true or false", value => value is bool);

    public static readonly ValueRule FilePath = new("a path, or empty", value => !((string)value).Contains('\0', StringComparison.Ordinal));

    public static readonly ValueRule Required = new("any text, but not empty", value => !string.IsNullOrWhiteSpace((string)value));

    public static readonly ValueRule Port = Whole(1, 65_535);

    public static readonly ValueRule IpAddress = Text("an IP address, such as 127.0.0.1, 0.0.0.0 or ::", IsIpAddress);

    public static readonly ValueRule PeerRange = Text("an IP address, or a range of them such as 10.0.0.0/8", text => IsIpAddress(text) || IPNetwork.TryParse(text, out _));

    public static readonly ValueRule Ratio = new("0 to 1, decimals too", value => value is decimal number && number is >= 0 and <= 1);

    public static readonly ValueRule Url = Text("an http or https URL, or empty", text => text.Length == 0 || IsUrl(text));

    public static readonly ValueRule Label = Text(SessionName.LabelRule, SessionName.IsLabel);

    public static readonly ValueRule LabelOrEmpty = Text($"empty, or {SessionName.LabelRule}", text => text.Length == 0 || SessionName.IsLabel(text));

    public static readonly ValueRule Name = Text(SessionName.NameRule, SessionName.IsName);

    public static readonly ValueRule HostAndPort = Text("host:port, such as driver.example:15002 or [::1]:15002", IsHostAndPort);

    public static readonly ValueRule HostAndPortOrEmpty = Text("empty, or host:port, such as spark.example:15002", text => text.Length == 0 || IsHostAndPort(text));

    public static readonly ValueRule HeaderName = Text("a header name in lower case that is not one of gRPC's own and does not end in -bin", text => Header().IsMatch(text) && !IsReservedHeader(text));

    public static readonly ValueRule HeaderNameOrEmpty = Text($"empty, or {HeaderName.Allowed}", text => text.Length == 0 || HeaderName.Holds(text));

    public static readonly ValueRule Memory = Text("a Spark size such as 512m or 4g", text => MemorySize().IsMatch(text));

    public static readonly ValueRule MemoryOrEmpty = Text("empty, or a Spark size such as 512m or 4g", text => text.Length == 0 || MemorySize().IsMatch(text));

    public static readonly ValueRule Cores = Text("a whole number as text, 1 to 1024", text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var cores) && cores is >= 1 and <= 1024);

    public static readonly ValueRule SparkVersion = Text("a Spark version such as 4.1.0", text => Version().IsMatch(text));

    public static readonly ValueRule Image = Text("a container image such as registry.example/team/spark:4.1.0", text => ImageName().IsMatch(text));

    public static readonly ValueRule PortRange = Text("FIRST-LAST, both 1024 to 65535, FIRST not above LAST", text => ParsePortRange(text) is not null);

    public static readonly ValueRule NamespacePattern = Text(
        "lower-case letters, digits, '-' and the placeholders {team} and {environment}, a valid namespace once they are filled in",
        text => SessionName.IsLabel(text.Replace("{team}", "t", StringComparison.Ordinal).Replace("{environment}", "e", StringComparison.Ordinal)));

    public static readonly ValueRule ConfigPrefix = Text("a prefix of session configuration keys that ends in '.'", text => text.Length > 1 && text[^1] == '.' && !text.Any(char.IsWhiteSpace));

    public static ValueRule Whole(int least, int most) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"), value => value is int number && number >= least && number <= most);

    public static ValueRule Above0(decimal most) =>
        new(string.Create(CultureInfo.InvariantCulture, $"more than 0, up to {most}; decimals too"), value => value is decimal number && number > 0 && number <= most);

    /// <summary>For a limit that stands in the place of a more general one.</summary>
    public static ValueRule From0(decimal most) =>
        new(string.Create(CultureInfo.InvariantCulture, $"0 to {most}, decimals too; 0: as for all"), value => value is decimal number && number >= 0 && number <= most);

    public static ValueRule OneOf(params string[] words) =>
        new($"{string.Join(", ", words[..^1])} or {words[^1]}", value => words.Contains((string)value, StringComparer.Ordinal));

    public static ValueRule OrEmpty(ValueRule rule) => Text($"empty, or {rule.Allowed}", text => text.Length == 0 || rule.Holds(text));

    /// <summary>The ports of "FIRST-LAST", or null if it is no such range.</summary>
    public static (int First, int Last)? ParsePortRange(string text)
    {
        var match = Range().Match(text);
        if (!match.Success || !IsPort(match.Groups[1].Value) || !IsPort(match.Groups[2].Value)) return null;
        var first = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        var last = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return first >= 1024 && first <= last ? (first, last) : null;
    }

    private static ValueRule Text(string allowed, Func<string, bool> holds) => new(allowed, value => holds((string)value));

    private static bool IsPort(string digits) => digits.Length <= 5 && int.Parse(digits, CultureInfo.InvariantCulture) is >= 1 and <= 65_535;

    private static bool IsHostAndPort(string text) => HostPort().Match(text) is { Success: true } match && IsPort(match.Groups["port"].Value);

    /// <summary>IPAddress also reads "1" and "127.1"; nobody means those.</summary>
    private static bool IsIpAddress(string text) => IPAddress.TryParse(text, out _) && (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3);

    private static bool IsUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";

    private static bool IsReservedHeader(string name) =>
        name.StartsWith("grpc-", StringComparison.Ordinal) || name.EndsWith("-bin", StringComparison.Ordinal)
        || name is "authorization" or "authentication" or "content-type" or "te" or "user-agent" or "host" or "connection" or "cookie";

    [GeneratedRegex("^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?<port>[0-9]{1,5})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostPort();

    [GeneratedRegex("^[a-z0-9!#$%&'*+.^_`|~-]{1,100}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Header();

    [GeneratedRegex("^[1-9][0-9]{0,8}[kmgt]b?\\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MemorySize();

    [GeneratedRegex("^[0-9]+\\.[0-9]+(\\.[0-9]+)?([-.][0-9A-Za-z.-]+)?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Version();

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,1023}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex ImageName();

    [GeneratedRegex("^([0-9]{1,5})-([0-9]{1,5})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Range();
}
