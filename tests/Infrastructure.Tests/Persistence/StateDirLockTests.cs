using System.Diagnostics;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Infrastructure.Tests.Persistence;

public sealed class StateDirLockTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("spark-gateway-lock-");

    private string StateDir => Path.Combine(folder.FullName, "state");

    [Fact]
    public void Acquire_Twice_RefusesTheSecondInOneSentence()
    {
        using (StateDirLock.Acquire(StateDir).Value)
        {
            var second = StateDirLock.Acquire(StateDir);
            Assert.StartsWith($"Another spark-gateway uses the state_dir {StateDir};", second.Error!.Text);
        }

        StateDirLock.Acquire(StateDir).Value.Dispose();
    }

    [Fact]
    public void Acquire_NewFolder_IsForItsUserAlone()
    {
        using var held = StateDirLock.Acquire(StateDir).Value;

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, new DirectoryInfo(StateDir).UnixFileMode);
    }

    [Fact]
    public async Task Acquire_HolderKilled_Succeeds()
    {
        StateDirLock.Acquire(StateDir).Value.Dispose();
        using var holder = Process.Start(new ProcessStartInfo("flock", ["--no-fork", Path.Combine(StateDir, "gateway.lock"), "sh", "-c", "echo held; exec cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.False(StateDirLock.Acquire(StateDir).IsOk);

        holder.Kill();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);

        StateDirLock.Acquire(StateDir).Value.Dispose();
    }

    [Fact]
    public void Acquire_FolderThatCannotBe_SaysWhichKeyToSet()
    {
        File.WriteAllText(StateDir, "a file");

        Assert.Contains("set state_dir to a folder", StateDirLock.Acquire(Path.Combine(StateDir, "below")).Error!.Text);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
