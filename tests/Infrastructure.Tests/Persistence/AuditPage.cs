using System.Text.RegularExpressions;
using SparkGateway.Infrastructure.Tests.Options;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>A question of docs/audit.md: its SQL and the rows that the page shows, with the names of the columns first.</summary>
internal sealed record AuditQuestion(string Title, string PostgresSql, string SqliteSql, IReadOnlyList<string[]> Rows)
{
    public override string ToString() => Title;
}

/// <summary>docs/audit.md, read as people read it: under each heading with a number SQL, perhaps SQL for SQLite, and the answer as a table.</summary>
internal static partial class AuditPage
{
    public static IReadOnlyList<AuditQuestion> Questions { get; } = [.. Question().Split(File.ReadAllText(Path.Combine(ConfigFolder.Solution, "docs", "audit.md"))).Skip(1).Select(Read)];

    private static AuditQuestion Read(string rest)
    {
        var section = NextHeading().Split(rest)[0];
        var title = section[..section.IndexOf('\n', StringComparison.Ordinal)].Trim();
        var queries = Fence().Matches(section);
        var common = queries.Single(match => match.Groups["kind"].Value == "sql").Groups["text"].Value;
        var sqlite = queries.SingleOrDefault(match => match.Groups["kind"].Value == "sql sqlite")?.Groups["text"].Value;
        var table = Fence().Replace(section, "").Split('\n').Where(line => line.StartsWith('|')).Select(Cells).ToList();
        return new AuditQuestion(title, common, sqlite ?? common, [.. table.Take(1), .. table.Skip(2)]);
    }

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];

    [GeneratedRegex(@"^## \d+\. ", RegexOptions.Multiline)]
    private static partial Regex Question();

    [GeneratedRegex("^##? ", RegexOptions.Multiline)]
    private static partial Regex NextHeading();

    [GeneratedRegex("^```(?<kind>sql(?: sqlite)?)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
