using System.Globalization;

namespace SparkGateway.Campaign;

/// <summary>What the kernel says about a process and its descendants.</summary>
internal static class ProcessTree
{
    private const double TicksPerSecond = 100;

    private const int PageBytes = 4096;

    public static IReadOnlyList<int> Members(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var pid) && Stat(pid) is { } fields) parents[pid] = int.Parse(fields[1], CultureInfo.InvariantCulture);
        }

        var members = new List<int> { root };
        for (var i = 0; i < members.Count; i++) members.AddRange(parents.Where(pair => pair.Value == members[i]).Select(pair => pair.Key));
        return members;
    }

    /// <summary>utime + stime.</summary>
    public static double CpuSeconds(IEnumerable<int> pids) =>
        pids.Sum(pid => Stat(pid) is { } fields ? (Number(fields[11]) + Number(fields[12])) / TicksPerSecond : 0);

    public static double ResidentBytes(IEnumerable<int> pids) =>
        pids.Sum(pid => Stat(pid) is { } fields ? Number(fields[21]) * PageBytes : 0);

    /// <summary>The fields behind the program's name, which may hold blanks; null once the process is gone.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{pid}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double Number(string field) => double.Parse(field, CultureInfo.InvariantCulture);
}
