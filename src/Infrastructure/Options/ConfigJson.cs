using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Options;

/// <summary>A piece of configuration whose keys are somebody else's, as JSON: a plain scalar gets the type that YAML gives it.</summary>
internal static partial class ConfigJson
{
    /// <param name="path">Of the node; <paramref name="origins"/> gets one entry for each node below.</param>
    public static JsonNode? Of(ConfigNode node, string path, Dictionary<string, ConfigOrigin> origins)
    {
        origins[path] = node.Origin;
        switch (node)
        {
            case ConfigMap map:
                var entries = new JsonObject();
                foreach (var entry in map.Entries)
                {
                    entries[entry.Key] = Of(entry.Value, $"{path}.{entry.Key}", origins);
                    origins[$"{path}.{entry.Key}"] = entry.Origin;
                }

                return entries;
            case ConfigList list:
                var items = new JsonArray();
                for (var i = 0; i < list.Items.Count; i++) items.Add(Of(list.Items[i], $"{path}[{i}]", origins));
                return items;
            default:
                return Scalar((ConfigScalar)node);
        }
    }

    /// <summary>The same document with what could be a secret masked: by its key, or in a list of names and values by its name.</summary>
    public static JsonNode? Masked(JsonNode? node, string path) => node switch
    {
        JsonObject entries => MaskedObject(entries, path),
        JsonArray items => new JsonArray([.. items.Select(item => Masked(item, path))]),
        JsonValue value when value.TryGetValue<string>(out var text) => SecretKeys.Show(path, text),
        _ => node?.DeepClone(),
    };

    private static JsonObject MaskedObject(JsonObject entries, string path)
    {
        var name = entries["name"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        return new JsonObject(entries.Select(entry =>
            KeyValuePair.Create(entry.Key, Masked(entry.Value, entry.Key == "value" && name is not null ? $"{path}.{name}" : $"{path}.{entry.Key}"))));
    }

    private static JsonValue? Scalar(ConfigScalar scalar)
    {
        var text = scalar.Value;
        if (scalar.IsQuoted) return JsonValue.Create(text);
        if (scalar.IsNothing) return null;
        if (text is "true" or "false") return JsonValue.Create(text == "true");
        if (Whole().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return JsonValue.Create(whole);
        if (Number().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) return JsonValue.Create(number);
        return JsonValue.Create(text);
    }

    [GeneratedRegex("^[-+]?(0|[1-9][0-9]*)\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    [GeneratedRegex("^[-+]?[0-9]+(\\.[0-9]*)?([eE][-+]?[0-9]+)?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
