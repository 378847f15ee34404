using System.Collections;

namespace SparkGateway.Infrastructure.Options;

/// <summary>What configures this process beside the defaults; later wins: files in their order, environment, --set in their order.</summary>
public sealed record ConfigSource(
    IReadOnlyList<string> Files,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> Sets)
{
    public static ConfigSource Of(IReadOnlyList<string> files, IReadOnlyList<string> sets)
    {
        var variables = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return new(files, variables, sets);
    }
}
