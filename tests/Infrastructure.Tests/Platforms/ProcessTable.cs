namespace SparkGateway.Infrastructure.Tests.Platforms;

internal sealed record ProcessRow(int Pid, string CommandLine, string Folder);

internal static class ProcessTable
{
    public static List<string> Where(Func<ProcessRow, bool> condition) =>
        [.. Rows().Where(condition).Select(row => $"{row.Pid}: {row.CommandLine}")];

    /// <summary>The processes that run with this folder in their command line or as their working folder.</summary>
    public static List<string> OfState(string folder) =>
        Where(row => row.CommandLine.Contains(folder, StringComparison.Ordinal) || row.Folder.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>The process that started it.</summary>
    public static int ParentOf(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ')[1]);

    public static Task GoneAsync(string folder) => UntilAsync(() => OfState(folder).Count == 0, $"Processes of {folder} are left.");

    public static Task ShowsAsync(string program) => UntilAsync(() => Where(row => row.CommandLine.StartsWith(program, StringComparison.Ordinal)).Count > 0, $"{program} does not run.");

    /// <summary>Strangers' processes tell nobody when they come and go, so the table is read again and again.</summary>
    private static async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        using var patience = new CancellationTokenSource(LocalHarness.Patience);
        while (!condition())
        {
            if (patience.IsCancellationRequested) Assert.Fail(otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    public static IEnumerable<ProcessRow> Rows()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), out var pid) && pid != Environment.ProcessId && Read(path) is { Length: > 0 } command)
            {
                yield return new ProcessRow(pid, command, new FileInfo(Path.Combine(path, "cwd")).LinkTarget ?? "");
            }
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(path, "cmdline")).Replace('\0', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
