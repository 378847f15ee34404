using System.Globalization;
using System.Text;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>What /proc tells of other processes.</summary>
internal static class Processes
{
    /// <summary>Those that have the text in their command line or environment.</summary>
    public static IReadOnlyList<int> Naming(string text, int but) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && pid != but && pid != Environment.ProcessId)
            .Where(pid => Read(pid, "cmdline").Contains(text, StringComparison.Ordinal) || Read(pid, "environ").Contains(text, StringComparison.Ordinal)),
    ];

    /// <summary>The program's name, without its folder.</summary>
    public static string Name(int pid) => Read(pid, "comm").Trim();

    /// <summary>SIGKILL.</summary>
    public static void Kill(int pid)
    {
        using var process = System.Diagnostics.Process.GetProcessById(pid);
        process.Kill();
    }

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
