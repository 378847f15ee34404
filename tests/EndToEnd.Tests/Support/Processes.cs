using System.Globalization;
using System.Text;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>What /proc tells of other processes.</summary>
internal static class Processes
{
    /// <summary>Those that have the text in their command line or environment.</summary>
    public static IReadOnlyList<int> Naming(string text, int but) =>
    [
        .. All().Where(pid => pid != but && pid != Environment.ProcessId)
            .Where(pid => Read(pid, "cmdline").Contains(text, StringComparison.Ordinal) || Read(pid, "environ").Contains(text, StringComparison.Ordinal)),
    ];

    /// <summary>The processes of these names that have a variable with that beginning, with the rest of its value.</summary>
    public static IReadOnlyList<(int Pid, string Value)> With(string variable, params IReadOnlyList<string> names) =>
    [
        .. All().Where(pid => names.Contains(Name(pid)))
            .Select(pid => (pid, Read(pid, "environ").Split('\0').FirstOrDefault(pair => pair.StartsWith(variable, StringComparison.Ordinal))?[variable.Length..]))
            .Where(found => found.Item2 is not null)
            .Select(found => (found.pid, found.Item2!)),
    ];

    /// <summary>The program's name, without its folder.</summary>
    public static string Name(int pid) => Read(pid, "comm").Trim();

    /// <summary>SIGKILL.</summary>
    public static void Kill(int pid)
    {
        using var process = System.Diagnostics.Process.GetProcessById(pid);
        process.Kill();
    }

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    private static string Read(int pid, string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/{file}"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
