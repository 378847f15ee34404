namespace SparkGateway.Infrastructure.Options;

/// <summary>Finds the key that somebody most likely meant.</summary>
internal static class NearestKey
{
    private static readonly string[] Known = [.. OptionSchema.Root.All().Where(key => !key.Path.Contains("[]", StringComparison.Ordinal)).Select(key => key.Path)];

    /// <summary>Compares whole paths, and last parts too: a key in the wrong section is as common as a typing error.</summary>
    public static string To(string path) =>
        Known.MinBy(known => Math.Min(Distance(path, known), 1 + Distance(Last(path), Last(known))))!;

    public static string Among(IEnumerable<string> names, string name) => names.MinBy(known => Distance(name, known))!;

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];

    /// <summary>Levenshtein distance in one row of memory; both texts are cut, since keys are short and input is not.</summary>
    private static int Distance(string left, string right)
    {
        const int longest = 100;
        if (left.Length > longest) left = left[..longest];
        Span<int> row = stackalloc int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++) row[j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? diagonal : diagonal + 1;
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
