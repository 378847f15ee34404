namespace SparkGateway.Infrastructure.Options;

/// <summary>A configuration as it was written, before it meets the option types: every node knows its origin.</summary>
internal abstract record ConfigNode(ConfigOrigin Origin);

/// <param name="IsQuoted">A quoted scalar is text, even an empty one; an empty plain scalar is no value.</param>
internal sealed record ConfigScalar(string Value, bool IsQuoted, ConfigOrigin Origin) : ConfigNode(Origin)
{
    public bool IsNothing => !IsQuoted && Value is "" or "~" or "null";
}

internal sealed record ConfigList(IReadOnlyList<ConfigNode> Items, ConfigOrigin Origin) : ConfigNode(Origin);

internal sealed record ConfigMap(IReadOnlyList<ConfigEntry> Entries, ConfigOrigin Origin) : ConfigNode(Origin);

/// <param name="Origin">Where the key stands: the line that a reader looks for.</param>
internal sealed record ConfigEntry(string Key, ConfigNode Value, ConfigOrigin Origin);
