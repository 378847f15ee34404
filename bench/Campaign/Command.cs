using System.Diagnostics;

namespace SparkGateway.Campaign;

/// <summary>Programs that run to their end.</summary>
internal static class Command
{
    /// <summary>Standard output and error together. A program that is missing, fails or hangs ends the campaign with its words.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, TimeSpan limit, CancellationToken stop)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new BenchException($"{program} does not start.");
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timer.CancelAfter(limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timer.Token);
            var errors = process.StandardError.ReadToEndAsync(timer.Token);
            var text = await output + await errors;
            await process.WaitForExitAsync(timer.Token);
            return process.ExitCode == 0 ? text : throw new BenchException($"{program} ended with exit code {process.ExitCode}: {text.Trim()}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new BenchException($"{program} did not end within {limit.TotalSeconds:0} s.");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    public static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, program)));
}
