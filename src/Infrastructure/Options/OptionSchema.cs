using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Options;

internal enum OptionKind
{
    Section,
    Text,
    Whole,
    Decimal,
    Flag,
    TextList,
    SectionList,
    TextMap,
    SectionMap,

    /// <summary>Keys that are somebody else's.</summary>
    Tree,
}

/// <summary>One key: its property and, for sections and lists or maps of them, the keys inside.</summary>
/// <param name="Path">With "[]" for any item of a list or map: spark_connect.attached[].name.</param>
internal sealed record OptionKey(string Name, string Path, PropertyInfo Property, OptionKind Kind, OptionSection? Inside)
{
    /// <summary>Its value is written as one scalar.</summary>
    public bool IsScalar => Kind is OptionKind.Text or OptionKind.Whole or OptionKind.Decimal or OptionKind.Flag;
}

internal sealed record OptionSection(Type Type, IReadOnlyList<OptionKey> Keys)
{
    public OptionKey? Find(string name) => Keys.FirstOrDefault(key => key.Name == name);

    /// <summary>This section's keys and those of the sections and items below it, depth first.</summary>
    public IEnumerable<OptionKey> All() => Keys.SelectMany(key => key.Inside is null ? [key] : key.Inside.All().Prepend(key));
}

/// <summary>The keys as the option types declare them: the property's name in snake case.</summary>
internal static class OptionSchema
{
    public static readonly OptionSection Root = Section(typeof(GatewayOptions), "");

    private static OptionSection Section(Type type, string prefix) =>
        new(type, [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => Key(property, prefix))]);

    private static OptionKey Key(PropertyInfo property, string prefix)
    {
        var name = SnakeCase(property.Name);
        var path = prefix + name;
        var type = property.PropertyType;
        if (type == typeof(string)) return new(name, path, property, OptionKind.Text, null);
        if (type == typeof(int)) return new(name, path, property, OptionKind.Whole, null);
        if (type == typeof(decimal)) return new(name, path, property, OptionKind.Decimal, null);
        if (type == typeof(bool)) return new(name, path, property, OptionKind.Flag, null);
        if (type == typeof(JsonObject)) return new(name, path, property, OptionKind.Tree, null);
        if (!type.IsGenericType) return new(name, path, property, OptionKind.Section, Section(type, path + "."));

        var isMap = type.GetGenericTypeDefinition() == typeof(Dictionary<,>);
        var item = type.GetGenericArguments()[^1];
        if (item == typeof(string)) return new(name, path, property, isMap ? OptionKind.TextMap : OptionKind.TextList, null);
        return new(name, path, property, isMap ? OptionKind.SectionMap : OptionKind.SectionList, Section(item, path + "[]."));
    }

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
