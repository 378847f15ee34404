using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Writes the effective configuration as YAML that can be read again, the origin of each value behind it.</summary>
internal static partial class ConfigPrinter
{
    public static string Print(LoadedConfig config)
    {
        var text = new StringBuilder("config:\n");
        Section(text, config, config.Options, OptionSchema.Root, "", 2);
        return text.ToString();
    }

    private static void Section(StringBuilder text, LoadedConfig config, object values, OptionSection section, string prefix, int indent)
    {
        foreach (var key in section.Keys)
        {
            var path = prefix + key.Name;
            var value = key.Property.GetValue(values)!;
            text.Append(' ', indent).Append(key.Name).Append(':');
            switch (value)
            {
                case IList { Count: 0 }:
                    Line(text, "[]", config, path);
                    break;
                case IDictionary { Count: 0 }:
                    Line(text, "{}", config, path);
                    break;
                case IList list:
                    text.Append('\n');
                    for (var i = 0; i < list.Count; i++) Item(text.Append(' ', indent + 2).Append('-'), config, key, list[i]!, $"{path}[{i}]", indent + 4);
                    break;
                case IDictionary map:
                    text.Append('\n');
                    foreach (DictionaryEntry entry in map)
                        Item(text.Append(' ', indent + 2).Append(Quoted((string)entry.Key)).Append(':'), config, key, entry.Value!, $"{path}[{entry.Key}]", indent + 4);
                    break;
                default:
                    if (key.Kind == OptionKind.Section) Section(text.Append('\n'), config, value, key.Inside!, path + ".", indent + 2);
                    else Line(text, Scalar(path, value), config, path);
                    break;
            }
        }
    }

    private static void Item(StringBuilder text, LoadedConfig config, OptionKey key, object item, string path, int indent)
    {
        if (key.Inside is null) Line(text, Scalar(path, item), config, path);
        else Section(text.Append('\n'), config, item, key.Inside, path + ".", indent);
    }

    private static void Line(StringBuilder text, string value, LoadedConfig config, string path) =>
        text.Append(' ').Append(value).Append("  # ").Append(config.OriginOf(path)).Append('\n');

    private static string Scalar(string path, object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        string words => Quoted(SecretKeys.Show(path, words)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>Plain where YAML cannot mistake it, else in double quotes.</summary>
    private static string Quoted(string text)
    {
        if (Plain().IsMatch(text) && text is not ("true" or "false" or "null")) return text;
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (char.IsControl(c)) quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    [GeneratedRegex("^[A-Za-z/][A-Za-z0-9_./-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
