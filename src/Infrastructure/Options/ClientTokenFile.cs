using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>A token of a client, as its hash: the token itself is forgotten once it is read.</summary>
/// <param name="Name">Whose it is, for people; may stand on several lines while one token replaces another.</param>
internal sealed record ClientToken(string Name, byte[] Hash);

/// <summary>
/// The file of spark_connect.token_file: one `NAME: TOKEN` a line, '#' begins a comment line. What is wrong names file and
/// line, and never shows what stands there.
/// </summary>
internal static partial class ClientTokenFile
{
    public const string Key = "spark_connect.token_file";

    /// <summary>Each is compared with what a client shows: a bound on that work.</summary>
    public const int MaxTokens = 1_000;

    /// <summary>96 bits, if the characters were drawn from base64's.</summary>
    private const int ShortestToken = 16;

    private const int LongestToken = 1_024;

    public static IReadOnlyList<ClientToken> Read(string path, List<ConfigProblem> problems, string key = Key)
    {
        var text = Files.TryReadSecret(path);
        if (text.TryGet(out var content, out var unread)) return Parse(path, content, problems, key);
        problems.Add(new(new(path), key, unread.Text));
        return [];
    }

    private static List<ClientToken> Parse(string path, string content, List<ConfigProblem> problems, string key)
    {
        var tokens = new List<ClientToken>();
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        var known = problems.Count;
        foreach (var (number, line) in content.Split('\n').Index())
        {
            var trimmed = line.Trim();
            if (trimmed.Length == 0 || trimmed[0] == '#') continue;
            var colon = trimmed.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? "" : trimmed[..colon].TrimEnd();
            var token = trimmed[(colon + 1)..].TrimStart();
            var problem = colon < 0 ? "write NAME: TOKEN, or begin a comment with '#'." : Problem(name, token);
            if (problem is null && !lineOf.TryAdd(token, number + 1)) problem = $"the token of line {lineOf[token]} again; give each client a token of its own.";
            if (problem is not null) problems.Add(new(new(path, number + 1), key, problem));
            else tokens.Add(new ClientToken(name, SHA256.HashData(Encoding.ASCII.GetBytes(token))));
        }

        if (tokens.Count > MaxTokens) problems.Add(new(new(path), key, $"the file holds {tokens.Count} tokens; at most {MaxTokens} are taken."));
        else if (tokens.Count == 0 && problems.Count == known) problems.Add(new(new(path), key, "the file holds no token, so nobody could call; write one NAME: TOKEN a line, or leave the key empty."));
        return tokens;
    }

    private static string? Problem(string name, string token)
    {
        if (!Name().IsMatch(name)) return "the name before the colon must be 1 to 63 letters, digits, '.', '_', '@' or '-'.";
        if (token.Length < ShortestToken) return $"the token has less than {ShortestToken} characters; make one with: openssl rand -hex 32";
        if (token.Length > LongestToken) return $"the token has more than {LongestToken} characters.";
        return token.All(c => c is > ' ' and < '\x7f') ? null : "the token holds a blank or a character that no header can carry; use printable ASCII.";
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
