using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SparkGateway.Infrastructure.Options;

/// <summary>YAML text to <see cref="ConfigNode"/>s. Reads parser events, because they keep the line of every key and value.</summary>
internal sealed class YamlReader
{
    /// <summary>The deepest key that exists is five levels down; the bound keeps a hostile file from exhausting the stack.</summary>
    private const int MaxDepth = 16;

    private readonly Parser parser;
    private readonly Func<long, ConfigOrigin> originOf;
    private readonly List<ConfigProblem> problems;

    private YamlReader(TextReader text, Func<long, ConfigOrigin> originOf, List<ConfigProblem> problems)
    {
        parser = new Parser(text);
        this.originOf = originOf;
        this.problems = problems;
    }

    /// <summary>The only document of <paramref name="text"/>; null when it is empty or is no YAML, which is then a problem.</summary>
    public static ConfigNode? Read(string text, Func<long, ConfigOrigin> originOf, List<ConfigProblem> problems)
    {
        using var reader = new StringReader(text);
        var yaml = new YamlReader(reader, originOf, problems);
        try
        {
            return yaml.Document();
        }
        catch (YamlException e)
        {
            var line = e.Message.Contains(" tab ", StringComparison.Ordinal) ? FirstTab(text) : e.Start.Line;
            problems.Add(new(originOf(line), "", $"this is not valid YAML: {OneLine(e.Message)}"));
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner fails so on some broken texts, "{b" over two lines for one.
            problems.Add(new(originOf(yaml.parser.Current?.End.Line ?? 1), "", "this is not valid YAML, from about here on; look for a missing quote, comma or bracket."));
            return null;
        }
    }

    /// <summary>A tab as indentation is reported at the beginning of its section, far from where a reader must look.</summary>
    private static long FirstTab(string text) =>
        1 + Array.FindIndex(text.Split('\n'), line => line.AsSpan(0, line.Length - line.AsSpan().TrimStart().Length).Contains('\t'));

    private ConfigNode? Document()
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _)) return null;
        parser.Consume<DocumentStart>();
        var root = Node("", 0);
        parser.Consume<DocumentEnd>();
        if (parser.Accept<DocumentStart>(out var second))
            problems.Add(new(originOf(second.Start.Line), "", "a second YAML document begins here; write one document only."));
        return root;
    }

    private ConfigNode Node(string path, int depth)
    {
        if (depth > MaxDepth) throw new YamlException(parser.Current!.Start, parser.Current.End, $"nested deeper than {MaxDepth} levels.");
        if (parser.TryConsume<Scalar>(out var scalar))
            return new ConfigScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, originOf(scalar.Start.Line));
        if (parser.TryConsume<SequenceStart>(out var sequence)) return List(sequence, path, depth);
        if (parser.TryConsume<MappingStart>(out var mapping)) return Map(mapping, path, depth);
        var current = parser.Current!;
        throw new YamlException(current.Start, current.End, "anchors and aliases are not supported; write the value out.");
    }

    private ConfigList List(SequenceStart start, string path, int depth)
    {
        var items = new List<ConfigNode>();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Node($"{path}[{items.Count}]", depth + 1));
        return new(items, originOf(start.Start.Line));
    }

    private ConfigMap Map(MappingStart start, string path, int depth)
    {
        var entries = new List<ConfigEntry>();
        var firstLine = new Dictionary<string, ConfigOrigin>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            var origin = originOf(key.Start.Line);
            var keyPath = path.Length == 0 ? key.Value : $"{path}.{key.Value}";
            var value = Node(keyPath, depth + 1);
            if (!firstLine.TryAdd(key.Value, origin))
                problems.Add(new(origin, keyPath, $"this key is written twice in the same section, first at {firstLine[key.Value]}; keep one."));
            entries.Add(new(key.Value, value, origin));
        }

        return new(entries, originOf(start.Start.Line));
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").TrimEnd('.') + ".";
}
