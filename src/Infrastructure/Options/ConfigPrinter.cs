using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Writes the effective configuration as YAML that can be read again, the origin of each value behind it.</summary>
internal sealed partial class ConfigPrinter
{
    private readonly StringBuilder text = new("config:\n");
    private readonly Func<string, ConfigOrigin>? originOf;
    private readonly string? skipped;

    private ConfigPrinter(Func<string, ConfigOrigin>? originOf, string? skipped)
    {
        this.originOf = originOf;
        this.skipped = skipped;
    }

    public static string Print(LoadedConfig config) => new ConfigPrinter(config.OriginOf, null).Section(config.Options);

    /// <summary>To be compared: the values of all keys but one, without the origins, whose line numbers move.</summary>
    public static string PrintWithout(string path, GatewayOptions options) => new ConfigPrinter(null, path).Section(options);

    private string Section(GatewayOptions options)
    {
        Section(options, OptionSchema.Root, "", 2);
        return text.ToString();
    }

    private void Section(object values, OptionSection section, string prefix, int indent)
    {
        foreach (var key in section.Keys)
        {
            var path = prefix + key.Name;
            if (path == skipped) continue;
            text.Append(' ', indent).Append(key.Name).Append(':');
            Value(key, key.Property.GetValue(values)!, path, indent);
        }
    }

    private void Value(OptionKey key, object value, string path, int indent)
    {
        switch (value)
        {
            case JsonObject tree:
                // JSON on one line is YAML too.
                Line(ConfigJson.Masked(tree, path)!.ToJsonString(), path);
                break;
            case IList { Count: 0 }:
                Line("[]", path);
                break;
            case IDictionary { Count: 0 }:
                Line("{}", path);
                break;
            case IList list:
                text.Append('\n');
                for (var i = 0; i < list.Count; i++)
                {
                    text.Append(' ', indent + 2).Append('-');
                    Item(key, list[i]!, $"{path}[{i}]", indent + 4);
                }

                break;
            case IDictionary map:
                text.Append('\n');
                foreach (DictionaryEntry entry in map)
                {
                    text.Append(' ', indent + 2).Append(Quoted((string)entry.Key)).Append(':');
                    Item(key, entry.Value!, $"{path}[{entry.Key}]", indent + 4);
                }

                break;
            case var _ when key.Kind == OptionKind.Section:
                text.Append('\n');
                Section(value, key.Inside!, path + ".", indent + 2);
                break;
            default:
                Line(Scalar(path, value), path);
                break;
        }
    }

    private void Item(OptionKey key, object item, string path, int indent)
    {
        if (key.Inside is null)
        {
            Line(Scalar(path, item), path);
            return;
        }

        text.Append('\n');
        Section(item, key.Inside, path + ".", indent);
    }

    private void Line(string value, string path)
    {
        text.Append(' ').Append(value);
        if (originOf is not null) text.Append("  # ").Append(originOf(path));
        text.Append('\n');
    }

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
