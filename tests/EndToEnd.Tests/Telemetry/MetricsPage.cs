using System.Text.RegularExpressions;

namespace SparkGateway.EndToEnd.Tests.Telemetry;

/// <summary>A metric as /metrics shows it, or as docs/metrics.md explains it.</summary>
internal sealed record Metric(string Name, string Type, string Labels);

/// <summary>The metrics of the gateway's own on a page in Prometheus' text format.</summary>
internal static partial class MetricsPage
{
    public static IReadOnlyList<Metric> Read(string page)
    {
        var types = TypeLine().Matches(page).Select(match => (Name: match.Groups[1].Value, Type: match.Groups[2].Value)).Where(metric => metric.Name.StartsWith("spark_", StringComparison.Ordinal));
        return [.. types.Select(metric => new Metric(metric.Name, metric.Type, LabelsOf(page, metric.Name))).OrderBy(metric => metric.Name, StringComparer.Ordinal)];
    }

    public static IReadOnlyList<Metric> ReadDocument(string text) =>
    [
        .. DocumentRow().Matches(text)
            .Select(match => new Metric(match.Groups[1].Value, match.Groups[2].Value, string.Join(',', match.Groups[3].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Order())))
            .OrderBy(metric => metric.Name, StringComparer.Ordinal),
    ];

    private static string LabelsOf(string page, string name)
    {
        var labels = page.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && (line[name.Length] is '{' or ' ' or '_'))
            .SelectMany(line => Label().Matches(line).Select(match => match.Groups[1].Value))
            .Where(label => label is not ("otel_scope_name" or "le"))
            .Distinct()
            .Order();
        return string.Join(',', labels);
    }

    [GeneratedRegex("^# TYPE ([a-z_]+) ([a-z]+)$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex TypeLine();

    [GeneratedRegex("[{,]([a-z_]+)=\"", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex("^\\| `(spark_[a-z_]+)` \\| ([a-z]+) \\| ([a-z_, ]*)\\|", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex DocumentRow();
}
