using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Options;

/// <summary>Lays configuration over the options, layer after layer. A value that is not allowed is a problem and changes nothing.</summary>
internal sealed class ConfigBinder(List<ConfigProblem> problems)
{
    private const int ShownCharacters = 80;

    private readonly Dictionary<string, ConfigOrigin> origins = new(StringComparer.Ordinal);

    public GatewayOptions Options { get; } = new();

    public IReadOnlyDictionary<string, ConfigOrigin> Origins => origins;

    public void Apply(ConfigNode root) => BindSection(Options, OptionSchema.Root, "", root);

    /// <summary>One key by its dotted path. Lists and maps are written as YAML: [a, b] or {key: value}.</summary>
    /// <param name="mayEnterMaps">The rest of a path that leads into a map is a key of that map; environment names lost their case, so not there.</param>
    public void Override(string path, string text, ConfigOrigin origin, bool mayEnterMaps)
    {
        object target = Options;
        var section = OptionSchema.Root;
        var rest = path;
        while (true)
        {
            var dot = rest.IndexOf('.', StringComparison.Ordinal);
            var key = section.Find(dot < 0 ? rest : rest[..dot]);
            rest = dot < 0 ? "" : rest[(dot + 1)..];
            if (key is null || (rest.Length > 0 && !Continues(key, mayEnterMaps)))
            {
                AddUnknown(path, origin);
                return;
            }

            if (rest.Length > 0 && key.Kind == OptionKind.Section)
            {
                (target, section) = (key.Property.GetValue(target)!, key.Inside!);
                continue;
            }

            var value = ParseOverride(key, rest, text, origin);
            if (value is not null) Bind(target, key, key.Path, value, origin);
            return;
        }
    }

    private static bool Continues(OptionKey key, bool mayEnterMaps) =>
        key.Kind == OptionKind.Section || (mayEnterMaps && key.Kind is OptionKind.TextMap or OptionKind.SectionMap);

    private ConfigNode? ParseOverride(OptionKey key, string rest, string text, ConfigOrigin origin)
    {
        if (key.IsScalar || (key.Kind == OptionKind.TextMap && rest.Length > 0)) return Entry(new ConfigScalar(text, true, origin));
        var value = YamlReader.Read(text, _ => origin, problems);
        return value is null ? null : Entry(value);

        ConfigNode Entry(ConfigNode node) => rest.Length == 0 ? node : new ConfigMap([new(rest, node, origin)], origin);
    }

    private void BindSection(object target, OptionSection section, string prefix, ConfigNode node)
    {
        if (node is ConfigScalar { IsNothing: true }) return;
        if (node is not ConfigMap map)
        {
            AddProblem(node.Origin, prefix.TrimEnd('.'), $"this is a section; allowed are its keys: {string.Join(", ", section.Keys.Select(key => key.Name))}.");
            return;
        }

        foreach (var entry in map.Entries)
        {
            var path = prefix + entry.Key;
            if (section.Find(entry.Key) is { } key) Bind(target, key, path, entry.Value, entry.Origin);
            else if (prefix.EndsWith("].", StringComparison.Ordinal)) AddProblem(entry.Origin, path, $"unknown key; the nearest known key is {NearestKey.Among(section.Keys.Select(known => known.Name), entry.Key)}.");
            else AddUnknown(path, entry.Origin);
        }
    }

    private void Bind(object target, OptionKey key, string path, ConfigNode node, ConfigOrigin origin)
    {
        switch (key.Kind)
        {
            case OptionKind.Section:
                BindSection(key.Property.GetValue(target)!, key.Inside!, path + ".", node);
                break;
            case OptionKind.TextList or OptionKind.SectionList:
                BindList(target, key, path, node, origin);
                break;
            case OptionKind.TextMap or OptionKind.SectionMap:
                BindMap((IDictionary)key.Property.GetValue(target)!, key, path, node, origin);
                break;
            case OptionKind.Tree:
                BindTree(target, key, path, node, origin);
                break;
            default:
                if (Scalar(key.Kind, OptionRules.For(key.Path), path, node, origin) is not { } value) break;
                key.Property.SetValue(target, value);
                origins[path] = origin;
                break;
        }
    }

    /// <summary>A list replaces the list of an earlier layer.</summary>
    private void BindList(object target, OptionKey key, string path, ConfigNode node, ConfigOrigin origin)
    {
        var items = node switch
        {
            ConfigList list => list.Items,
            ConfigScalar { IsNothing: true } => [],
            _ => null,
        };
        if (items is null)
        {
            AddProblem(origin, path, "this is a list; write [A, B], or one '- ' line for each item.");
            return;
        }

        foreach (var stale in origins.Keys.Where(known => known.StartsWith(path + "[", StringComparison.Ordinal)).ToList()) origins.Remove(stale);
        var bound = (IList)Activator.CreateInstance(key.Property.PropertyType)!;
        for (var i = 0; i < items.Count; i++) bound.Add(Item(key, $"{path}[{i}]", items[i], items[i].Origin));
        key.Property.SetValue(target, bound);
        origins[path] = origin;
    }

    /// <summary>A map adds to the map of an earlier layer, key by key.</summary>
    private void BindMap(IDictionary bound, OptionKey key, string path, ConfigNode node, ConfigOrigin origin)
    {
        if (node is ConfigMap map)
        {
            foreach (var entry in map.Entries) bound[entry.Key] = Item(key, $"{path}[{entry.Key}]", entry.Value, entry.Origin);
            origins[path] = origin;
        }
        else if (node is not ConfigScalar { IsNothing: true })
        {
            AddProblem(origin, path, "this is a map; write {KEY: VALUE}, or one 'KEY: VALUE' line for each entry.");
        }
    }

    private void BindTree(object target, OptionKey key, string path, ConfigNode node, ConfigOrigin origin)
    {
        if (node is ConfigScalar { IsNothing: true }) return;
        if (ConfigJson.Of(node, path, origins) is JsonObject tree) key.Property.SetValue(target, tree);
        else AddProblem(origin, path, "this is a map; write 'KEY: VALUE' lines.");
        origins[path] = origin;
    }

    private object Item(OptionKey key, string path, ConfigNode node, ConfigOrigin origin)
    {
        origins[path] = origin;
        if (key.Inside is null) return Scalar(OptionKind.Text, OptionRules.For(key.Path + "[]"), path, node, origin) ?? "";
        var item = Activator.CreateInstance(key.Inside.Type)!;
        BindSection(item, key.Inside, path + ".", node);
        return item;
    }

    private object? Scalar(OptionKind kind, ValueRule rule, string path, ConfigNode node, ConfigOrigin origin)
    {
        if (node is not ConfigScalar scalar)
        {
            AddProblem(origin, path, $"{(node is ConfigList ? "a list" : "a section")} stands where one value belongs; allowed: {rule.Allowed}.");
            return null;
        }

        var text = kind == OptionKind.Text && scalar.IsNothing ? "" : scalar.Value;
        object? value = kind switch
        {
            OptionKind.Text => text,
            OptionKind.Whole when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            OptionKind.Decimal when decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) => number,
            OptionKind.Flag when text is "true" or "false" => text == "true",
            _ => null,
        };
        if (value is not null && rule.Holds(value)) return value;
        AddProblem(origin, path, $"'{Shown(path, text)}' is not allowed; allowed: {rule.Allowed}.");
        return null;
    }

    private static string Shown(string path, string text)
    {
        var shown = SecretKeys.Show(path, text).ReplaceLineEndings(" ");
        return shown.Length <= ShownCharacters ? shown : shown[..ShownCharacters] + "...";
    }

    private void AddUnknown(string path, ConfigOrigin origin) => AddProblem(origin, path, $"unknown key; the nearest known key is {NearestKey.To(path)}.");

    private void AddProblem(ConfigOrigin origin, string path, string text) => problems.Add(new(origin, path, text));
}
