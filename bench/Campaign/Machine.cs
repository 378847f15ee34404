using System.Globalization;
using System.Runtime.InteropServices;

namespace SparkGateway.Campaign;

/// <summary>Where it was measured, and with which versions.</summary>
internal static class Machine
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<string>> DescribeAsync(string loadAtStart, CancellationToken stop)
    {
        var model = (await File.ReadAllLinesAsync("/proc/cpuinfo", stop)).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown CPU";
        var lines = new List<string>
        {
            $"{Environment.ProcessorCount} cores, {model}, {RuntimeInformation.OSDescription}, load average {loadAtStart} before the campaign",
            $".NET {Environment.Version}",
        };
        foreach (var (program, option) in ((string, string)[])[("haproxy", "-v"), ("nginx", "-v"), ("nghttpx", "--version"), ("h2load", "--version"), ("nghttpd", "--version")])
        {
            if (Command.Exists(program)) lines.Add((await Command.RunAsync(Located(program), [option], Limit, stop)).Split('\n')[0].Trim());
        }

        return lines;
    }

    /// <summary>The soft limit of this process, which its children inherit.</summary>
    public static int OpenFilesLimit()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        return int.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }

    private static string Located(string program) => File.Exists("/usr/sbin/" + program) ? "/usr/sbin/" + program : program;
}
