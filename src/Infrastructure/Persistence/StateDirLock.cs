using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>
/// Makes a state_dir one process's own, as SQLite and local drivers need it. The kernel holds the lock (flock), so it ends
/// with the process, however that ends.
/// </summary>
internal sealed class StateDirLock : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream file;

    private StateDirLock(FileStream file) => this.file = file;

    public static Result<StateDirLock> Acquire(string stateDir)
    {
        if (!MakeFolder(stateDir).TryGet(out var folder, out var error)) return error;

        var path = Path.Combine(folder, "gateway.lock");
        try
        {
            return new StateDirLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException)
        {
            return NotWritable(stateDir);
        }
        catch (IOException)
        {
            return GatewayError.Invalid($"Another spark-gateway uses the state_dir {folder}; stop it, or give this one a state_dir of its own (--set state_dir=FOLDER).");
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>The folder's full path; made for this user alone if it was missing.</summary>
    internal static Result<string> MakeFolder(string stateDir)
    {
        try
        {
            var folder = Path.GetFullPath(stateDir);
            if (Directory.Exists(folder)) return folder;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return NotWritable(stateDir);
        }
    }

    private static GatewayError NotWritable(string stateDir) =>
        GatewayError.Invalid($"The state_dir '{stateDir}' cannot be made or written to; set state_dir to a folder that this user may write to.");
}
