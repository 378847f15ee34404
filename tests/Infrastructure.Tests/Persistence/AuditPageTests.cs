using System.Globalization;
using System.Text.RegularExpressions;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>docs/audit.md is right: each of its queries answers what the page says.</summary>
public sealed partial class AuditPageTests
{
    [Theory, EachStore]
    public async Task Queries_OfThePage_AnswerAsItShows(string kind)
    {
        await using var store = await TestStore.CreateAsync(kind);
        await AuditScene.PlayAsync(store);

        Assert.True(AuditPage.Questions.Count >= 10);
        foreach (var question in AuditPage.Questions)
        {
            var rows = await store.ReadAsync(store.IsPostgres ? question.PostgresSql : question.SqliteSql);
            Assert.Equal(Text(question, question.Rows), Text(question, rows.Select(row => row.Select(Shown).ToArray())));
        }
    }

    [Fact]
    public void Queries_OfThePage_AreSpokenByCockroachDb() => Assert.All(AuditPage.Questions, question => Assert.Null(StatementLint.Find(question.PostgresSql)));

    private static string Text(AuditQuestion question, IEnumerable<string[]> rows) =>
        string.Join('\n', [$"## {question.Title}", .. rows.Select(row => $"| {string.Join(" | ", row)} |")]);

    /// <summary>The two databases write the same values differently.</summary>
    private static string Shown(object? value) => value switch
    {
        null or DBNull => "",
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        string text when Time().Match(text) is { Success: true } time => $"{time.Groups[1].Value} {time.Groups[2].Value}",
        decimal number => number.ToString("0.###", CultureInfo.InvariantCulture),
        double number => number.ToString("0.###", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    [GeneratedRegex(@"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{3}Z$")]
    private static partial Regex Time();
}
