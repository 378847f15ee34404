using System.Globalization;

namespace SparkGateway.Relay.Tests.Fuzz;

internal enum Speaker
{
    Client,

    /// <summary>The driver that was connected last; before that, nobody hears it.</summary>
    Driver,

    /// <summary>The decisions that parked calls wait for: all go to the bench's driver.</summary>
    Admit,

    /// <summary>A second passes.</summary>
    Second,

    Shutdown,
}

/// <summary>What was said to the relay, in order. Kept in files as one line each: who, then the bytes in hex.</summary>
internal sealed record Conversation(IReadOnlyList<(Speaker Who, byte[] Bytes)> Lines)
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static IReadOnlyList<Conversation> Corpus { get; } =
        [.. Directory.GetFiles(Folder, "*.txt").Order(StringComparer.Ordinal).Select(path => Parse(File.ReadAllText(path)))];

    public static Conversation Parse(string text) => new([
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => line[0] != '#').Select(line =>
        {
            var parts = line.Split(' ', 2);
            return (Enum.Parse<Speaker>(parts[0]), parts.Length > 1 ? Convert.FromHexString(parts[1]) : []);
        }),
    ]);

    public override string ToString() =>
        string.Concat(Lines.Select(line => string.Create(CultureInfo.InvariantCulture, $"{line.Who} {Convert.ToHexString(line.Bytes)}\n")));
}
