namespace SparkGateway.Infrastructure.Options;

/// <summary>Where a value came from: a file and its line, an environment variable, an argument, or the defaults.</summary>
public sealed record ConfigOrigin(string Source, int Line = 0)
{
    public static readonly ConfigOrigin Default = new("default");

    public override string ToString() => Line > 0 ? $"{Source}:{Line}" : Source;
}

/// <summary>One thing that is wrong: where, which key, and what is allowed.</summary>
public sealed record ConfigProblem(ConfigOrigin Where, string Key, string Text)
{
    public override string ToString() => Key.Length == 0 ? $"{Where}: {Text}" : $"{Where}: {Key}: {Text}";
}
