using System.Globalization;
using System.Runtime.InteropServices;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>What Linux tells about processes. A driver's processes are those of one kernel session: its Python workers leave the process group but not that.</summary>
internal static partial class ProcFs
{
    private const int SigKill = 9;

    /// <summary>Pid and start time: tells a process from a later one with the same pid. Null when it is gone.</summary>
    public static string? Identity(int pid) => Stat(pid) is { } stat ? $"{pid}-{stat.StartTime}" : null;

    /// <summary>The processes of a kernel session that still run.</summary>
    public static List<int> InSession(int session) =>
        [.. Pids().Where(pid => Stat(pid) is { } stat && stat.Session == session && stat.State is not ("Z" or "X"))];

    public static void Kill(int pid) => _ = SendSignal(pid, SigKill);

    /// <summary>Which process of the session holds one of these sockets.</summary>
    public static int? Owner(IReadOnlyList<string> sockets, int session)
    {
        if (sockets.Count == 0) return null;
        foreach (var pid in InSession(session))
        {
            if (Descriptors(pid).Any(sockets.Contains)) return pid;
        }

        return null;
    }

    private static List<string> Descriptors(int pid)
    {
        var links = new List<string>();
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd"))
            {
                if (new FileInfo(path).LinkTarget is { } target) links.Add(target);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended, or a descriptor was closed, while it was read: the next look tells.
        }

        return links;
    }

    private static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out var pid) ? pid : 0).Where(pid => pid > 0);

    private static (string State, int Session, string StartTime)? Stat(int pid)
    {
        // The name in parentheses may hold anything, line ends too; fields 3 (state), 6 (session) and 22 (start time) follow the last one.
        var text = string.Join('\n', Lines($"/proc/{pid}/stat"));
        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 ? (fields[0], int.Parse(fields[3], CultureInfo.InvariantCulture), fields[19]) : null;
    }

    public static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
