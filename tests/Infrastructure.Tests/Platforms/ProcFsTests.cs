using System.Diagnostics;
using SparkGateway.Infrastructure.Platforms.Local;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public class ProcFsTests
{
    [Fact]
    public async Task InSession_OddProcessName_IsFoundUntilItEnds()
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-proc-").FullName;
        var program = Path.Combine(folder, "a) S\n1 (b");
        File.Copy("/bin/sleep", program);
        using var process = Process.Start(new ProcessStartInfo("setsid", [program, "1000"]) { RedirectStandardOutput = true })!;
        try
        {
            await ProcessTable.ShowsAsync(program);

            Assert.Equal([process.Id], ProcFs.InSession(process.Id));
            Assert.StartsWith($"{process.Id}-", ProcFs.Identity(process.Id), StringComparison.Ordinal);

            ProcFs.Kill(process.Id);
            await process.WaitForExitAsync();
            Assert.Empty(ProcFs.InSession(process.Id));
            Assert.Null(ProcFs.Identity(process.Id));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }
}
