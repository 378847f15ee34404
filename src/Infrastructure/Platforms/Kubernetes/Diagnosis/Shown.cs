using System.Text;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Diagnosis;

/// <summary>Other people's words, fit to stand in an error: one line, cut, without what a terminal would act on or a password in a URL.</summary>
internal static class Shown
{
    // A client shows some 2000 characters of an error: the cluster's words may take a part of them.
    private const int Longest = 400;

    public static string Words(string text, int longest = Longest)
    {
        var shown = new StringBuilder(Math.Min(text.Length, longest) + 3);
        foreach (var character in SecretKeys.Show("", text.Trim()))
        {
            if (shown.Length >= longest) return shown.Append("...").ToString();
            var isBlank = char.IsWhiteSpace(character);
            if (isBlank && shown.Length > 0 && shown[^1] == ' ') continue;
            shown.Append(isBlank ? ' ' : char.IsControl(character) || char.IsSurrogate(character) ? '?' : character);
        }

        return shown.ToString();
    }

    /// <summary>In brackets with a blank in front, or nothing.</summary>
    public static string InBrackets(string text) => string.IsNullOrWhiteSpace(text) ? "" : $" ({Words(text).TrimEnd('.')})";
}
