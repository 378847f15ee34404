using System.Globalization;
using System.Text;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Names as the tables spell them, and texts as their columns can hold them.</summary>
internal static class ColumnWord
{
    public static string Of<T>(T value) where T : struct, Enum => Words<T>.ByValue[value];

    public static T Parse<T>(string word) where T : struct, Enum => Words<T>.ByWord[word];

    /// <summary>ClosedByOperator: closed_by_operator.</summary>
    public static string Of(string name)
    {
        var word = new StringBuilder(name.Length + 4);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && word.Length > 0) word.Append('_');
            word.Append(char.ToLower(letter, CultureInfo.InvariantCulture));
        }

        return word.ToString();
    }

    /// <summary>Text that both databases take: no NUL, which PostgreSQL refuses, no half surrogate pair, no more than <paramref name="most"/> characters.</summary>
    public static string Clean(string text, int most = int.MaxValue)
    {
        var clean = new StringBuilder(Math.Min(text.Length, most));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > most) break;
            clean.Append(rune.Value == 0 ? Rune.ReplacementChar.ToString() : rune.ToString());
        }

        return clean.ToString();
    }

    private static class Words<T> where T : struct, Enum
    {
        public static readonly Dictionary<T, string> ByValue = Enum.GetValues<T>().ToDictionary(value => value, Word);

        public static readonly Dictionary<string, T> ByWord = ByValue.ToDictionary(pair => pair.Value, pair => pair.Key);

        // The column says ondemand and precreated.
        private static string Word(T value) => value is BoundVia ? Of($"{value}").Replace("_", "", StringComparison.Ordinal) : Of($"{value}");
    }
}
