using System.Text;

namespace SparkGateway.Api.Cli.Sessions;

/// <summary>Columns of text, each as wide as its longest cell so far; later rows may be added one by one.</summary>
internal sealed class Table(TextWriter output, params string[] headers)
{
    private readonly int[] widths = [.. headers.Select(header => header.Length)];
    private bool hasHeader;

    public void Write(IReadOnlyCollection<string[]> rows)
    {
        var cells = rows.Select(row => row.Select(Safe).ToArray()).ToList();
        foreach (var row in cells)
            for (var column = 0; column < row.Length; column++) widths[column] = Math.Max(widths[column], row[column].Length);
        if (!hasHeader) WriteRow(headers);
        hasHeader = true;
        foreach (var row in cells) WriteRow(row);
    }

    public static string Time(DateTimeOffset? time) => time is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) : "-";

    /// <summary>Users choose their names: nothing of them acts on the terminal.</summary>
    public static string Safe(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "-";
        var safe = new StringBuilder(text.Length);
        foreach (var letter in text) safe.Append(char.IsControl(letter) ? '?' : letter);
        return safe.ToString();
    }

    private void WriteRow(string[] row)
    {
        var line = new StringBuilder();
        for (var column = 0; column < row.Length; column++) line.Append(row[column].PadRight(widths[column])).Append("  ");
        output.WriteLine(line.ToString().TrimEnd());
    }
}
