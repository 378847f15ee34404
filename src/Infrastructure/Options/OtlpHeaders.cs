using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>The file of telemetry.otlp.headers_file: one `NAME: VALUE` a line, '#' begins a comment line. What is wrong never shows what stands there.</summary>
public static partial class OtlpHeaders
{
    internal const string Key = "telemetry.otlp.headers_file";

    private const int MostHeaders = 50;

    /// <summary>A file that changed to something wrong since the start's checks counts as empty.</summary>
    public static IReadOnlyList<(string Name, string Value)> Read(OtlpOptions options) =>
        options.HeadersFile.Length == 0 ? [] : Read(options.HeadersFile, []);

    internal static IReadOnlyList<(string Name, string Value)> Read(string path, List<ConfigProblem> problems)
    {
        if (!Files.TryReadSecret(path).TryGet(out var content, out var unread))
        {
            problems.Add(new(new(path), Key, unread.Text));
            return [];
        }

        var headers = new List<(string, string)>();
        foreach (var (number, line) in content.Split('\n').Index())
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed[0] == '#') continue;
            var match = Header().Match(trimmed);
            if (match.Success && headers.Count < MostHeaders) headers.Add((match.Groups[1].Value, match.Groups[2].Value));
            else problems.Add(new(new(path, number + 1), Key, match.Success ? $"at most {MostHeaders} headers are sent." : "write NAME: VALUE in printable ASCII, or begin a comment with '#'."));
        }

        return headers;
    }

    [GeneratedRegex("^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}): *([\\x20-\\x7e]{1,8000})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Header();
}
